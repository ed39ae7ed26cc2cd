package replay

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A place is a thread with a network and mounts of its own. Files opened and
// programs started there belong to it.
type place struct {
	calls chan func()
}

// newPlace makes a place that ends with the test.
func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{calls: make(chan func())}
	ready := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the place
		err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		ready <- err
		for call := range p.calls {
			call()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	t.Cleanup(func() { close(p.calls) })
	return p
}

// do runs f in the place.
func (p *place) do(f func() error) error {
	result := make(chan error)
	p.calls <- func() { result <- f() }
	return <-result
}

// run runs a command in the place and waits for it. The error is that it could
// not be run; how it ended is for the caller to look at.
func (p *place) run(cmd *exec.Cmd) error {
	if err := p.do(cmd.Start); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// up brings a device up.
func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

// address gives a device an address that may be used at once.
func address(dev, cidr string) error {
	link, err := netlink.LinkByName(dev)
	if err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	if addr.IP.To4() == nil {
		addr.Flags = unix.IFA_F_NODAD
	}
	return netlink.AddrAdd(link, addr)
}

// The addresses. Real servers answer at reals and reals6; mails go
// to mailAddr.
const (
	directorAddr  = "10.1.255.254"
	directorAddr6 = "fd00:1::fe"
	mailAddr      = "10.1.0.20"
)

func reals() []netip.Addr {
	var list []netip.Addr
	for i := byte(1); i <= 6; i++ {
		list = append(list, netip.AddrFrom4([4]byte{10, 1, 0, i}))
	}
	for i := 1; i <= 2; i++ {
		list = append(list, netip.MustParseAddr(fmt.Sprintf("fd00:1::%d", i)))
	}
	return list
}

// connect lays a cable between a director and its real servers.
func connect(director, servers *place) error {
	var there netns.NsHandle
	err := servers.do(func() (err error) {
		there, err = netns.Get()
		return errors.Join(err, up("lo"))
	})
	if err != nil {
		return err
	}
	defer there.Close()
	err = director.do(func() error {
		cable := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: "d0"}, PeerName: "r0", PeerNamespace: netlink.NsFd(there),
		}
		return errors.Join(netlink.LinkAdd(cable), up("lo"), up("d0"),
			address("d0", directorAddr+"/16"), address("d0", directorAddr6+"/64"))
	})
	if err != nil {
		return err
	}
	return servers.do(func() error {
		err := errors.Join(up("r0"), address("r0", mailAddr+"/16"))
		for _, a := range reals() {
			bits := 16
			if a.Is6() {
				bits = 64
			}
			err = errors.Join(err, address("r0", netip.PrefixFrom(a, bits).String()))
		}
		return err
	})
}

// hosts are the names that the director knows.
const hosts = `127.0.0.1 localhost
10.0.0.1 vip1 vip1.example.com
10.1.0.1 web1.example.com web1
10.1.0.2 web2.example.com web2
10.1.0.9 sorry.example.com sorry
fd00:1::1 web6.example.com web6
`

// furnish gives a place the directories and files in which a daemon leaves its
// traces, as they are in dir.
func (p *place) furnish(dir string) error {
	for name, text := range map[string]string{
		"hosts": hosts, "resolv.conf": "", "nsswitch.conf": "hosts: files\nservices: files\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	binds := map[string]string{
		"run": "/run", "log": "/var/log", "ha.d": "/etc/ha.d", "dev": "/dev/replay", "lib": "/var/lib/ldirectord",
		"hosts": "/etc/hosts", "resolv.conf": "/etc/resolv.conf", "nsswitch.conf": "/etc/nsswitch.conf",
	}
	for name, at := range binds {
		if filepath.Ext(name) == "" && name != "hosts" || name == "ha.d" {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
				return err
			}
		}
		err := p.do(func() error { return unix.Mount(filepath.Join(dir, name), at, "", unix.MS_BIND, "") })
		if err != nil {
			return fmt.Errorf("mounting %s: %w", at, err)
		}
	}
	return nil
}

// installed is where scripts look for the program.
const installed = "/usr/sbin/ldirectord"

// prepare makes what all stages need of the kernel's files.
func prepare(binary string) error {
	for _, dir := range []string{"/etc/ha.d", "/dev/replay", "/var/lib/ldirectord"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if *update {
		if err := mountSessions(); err != nil {
			return err
		}
	}
	for link, to := range map[string]string{"/dev/log": "/dev/replay/log", installed: binary} {
		if err := os.RemoveAll(link); err != nil {
			return err
		}
		if err := os.Symlink(to, link); err != nil {
			return err
		}
	}
	// The kernel would load a scheduler when it is first named. For lblc and
	// lblcr it waits then for other namespaces to end, and they for it.
	modules := []string{"-a", "ipv6", "ip_vs", "veth"}
	for _, s := range []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "mh", "fo", "ovf"} {
		modules = append(modules, "ip_vs_"+s)
	}
	if out, err := exec.Command("modprobe", modules...).CombinedOutput(); err != nil {
		return fmt.Errorf("modprobe: %w: %s", err, out)
	}
	for _, of := range []string{"all", "default"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+of+"/accept_dad", []byte("0"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// mountSessions puts the machine's own sessions in the place of the copy that
// is thrown away with the lab.
func mountSessions() error {
	dir, err := filepath.Abs(sessions)
	if err != nil {
		return err
	}
	if err := unix.Mount("machine", dir, "hostfs", 0, dir); err != nil {
		return fmt.Errorf("mounting %s: %w", dir, err)
	}
	return nil
}
