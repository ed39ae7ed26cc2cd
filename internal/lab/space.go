package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A space is one network namespace; "ip netns" knows it by its name.
type space struct {
	name string
	ns   netns.NsHandle
	link *netlink.Handle

	machine string // the process of Machine, "" is none
}

func newSpace(name string) (*space, error) {
	s := &space{name: name}
	err := onOwnThread(func() (err error) {
		if s.ns, err = netns.NewNamed(name); err != nil {
			return err
		}
		s.link, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("namespace %s: %w", name, err)
	}
	return s, nil
}

// close removes the namespace, which goes when its last process and socket
// have gone.
func (s *space) close() error {
	s.link.Close()
	return errors.Join(s.ns.Close(), netns.DeleteNamed(s.name))
}

// do runs f on a thread in the namespace.
func (s *space) do(f func() error) error {
	return onOwnThread(func() error {
		if err := netns.Set(s.ns); err != nil {
			return fmt.Errorf("entering %s: %w", s.name, err)
		}
		return f()
	})
}

// onOwnThread runs f on a thread of its own, which ends with f, in any namespace.
func onOwnThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := errors.New("left by runtime.Goexit")
		defer func() { result <- err }()
		err = f()
	}()
	return <-result
}

// sysctl sets kernel parameters below net of the namespace that the thread is
// in, each "path=value". A path may be a pattern.
func sysctl(settings ...string) error {
	for _, s := range settings {
		path, value, _ := strings.Cut(s, "=")
		files, err := filepath.Glob("/proc/sys/net/" + path)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("no kernel parameter %s", path)
		}
		for _, file := range files {
			if err := os.WriteFile(file, []byte(value), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *space) addBridge(name string) error {
	snooping := false // needs a querier, and would lose IPv6 neighbours without
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}, MulticastSnooping: &snooping}
	if err := s.link.LinkAdd(bridge); err != nil {
		return err
	}
	return s.up(name)
}

func (s *space) up(dev string) error {
	link, err := s.link.LinkByName(dev)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", dev, s.name, err)
	}
	return s.link.LinkSetUp(link)
}

func (s *space) down(dev string) error {
	link, err := s.link.LinkByName(dev)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", dev, s.name, err)
	}
	return s.link.LinkSetDown(link)
}

// addAddress adds "address/prefix length", usable at once.
func (s *space) addAddress(dev, cidr string) error {
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	if addr.IP.To4() == nil {
		addr.Flags = unix.IFA_F_NODAD
	}
	return s.replaceAddress(dev, addr)
}

func (s *space) replaceAddress(dev string, addr *netlink.Addr) error {
	link, err := s.link.LinkByName(dev)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", dev, s.name, err)
	}
	if err := s.link.AddrReplace(link, addr); err != nil {
		return fmt.Errorf("adding %s to %s of %s: %w", addr, dev, s.name, err)
	}
	return nil
}
