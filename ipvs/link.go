package ipvs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"syscall"

	moby "github.com/moby/ipvs"
	"github.com/sirupsen/logrus"
)

// A kernelLink writes through moby/ipvs. It has a socket of its own for reading,
// and for writing many changes at once.
type kernelLink struct {
	socket *socket
	handle *moby.Handle
}

// dial opens a link. IPVS must be in the kernel: without it the first handle of
// moby/ipvs stores, for as long as the process lives, a family number of 0, with
// which the kernel acknowledges every change and makes none.
func dial() (link, error) {
	family, err := lookup()
	if err != nil {
		return nil, err
	}
	own, err := openSocket(family)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	h, err := openHandle()
	if err != nil {
		own.close()
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	l := &kernelLink{own, h}
	if err := bounded(answerLimit, l, l.try); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// openHandle opens a handle without a log line: the first one in a process runs
// "modprobe ip_vs" (without effect: the module is loaded) and warns on logrus'
// global logger where there is no modprobe, as for a built-in IPVS. For that moment
// the global logger is silent; programs with their own logger are not affected.
func openHandle() (*moby.Handle, error) {
	level := logrus.GetLevel()
	logrus.SetLevel(logrus.PanicLevel)
	defer logrus.SetLevel(level)
	return moby.New("")
}

// try requests a service that cannot exist through moby/ipvs. "No such service" is
// the answer if all is well.
func (l *kernelLink) try() error {
	_, err := l.handle.GetService(&moby.Service{AddressFamily: syscall.AF_INET, Address: net.IPv4zero})
	no, answered := errors.AsType[syscall.Errno](err)
	switch {
	case no == syscall.ESRCH:
		return nil
	case no == syscall.EPERM:
		return errNoRights
	case no == syscall.ENOENT, !answered: // of another family, or of none
		return errReloaded
	}
	return fmt.Errorf("asking for the IPVS table: %w", err)
}

// readEach implements link.
func (l *kernelLink) readEach(use func(*Entry)) error {
	return l.doubt(l.socket.readEach(use))
}

// apply implements link.
func (l *kernelLink) apply(c Change) error {
	return l.doubt(l.write(c))
}

// applyAll implements link.
func (l *kernelLink) applyAll(changes []Change) ([]error, error) {
	answers, err := l.socket.write(changes)
	for _, answer := range answers {
		if errors.Is(answer, syscall.ENOENT) {
			return answers, l.try()
		}
	}
	return answers, err
}

// doubt examines "no such entry", which is also the answer to a family number that
// is no longer valid since ip_vs was unloaded.
func (l *kernelLink) doubt(err error) error {
	if errors.Is(err, syscall.ENOENT) {
		if lost := l.try(); lost != nil {
			return lost
		}
	}
	return err
}

func (l *kernelLink) write(c Change) error {
	s, d := mobyService(c.Service), mobyDestination(c.Destination)
	switch c.Op {
	case AddService:
		return l.handle.NewService(s)
	case EditService:
		return l.handle.UpdateService(s)
	case DeleteService:
		return l.handle.DelService(s)
	case AddDestination:
		return l.handle.NewDestination(s, d)
	case EditDestination:
		return l.handle.UpdateDestination(s, d)
	default:
		return l.handle.DelDestination(s, d)
	}
}

// close implements link.
func (l *kernelLink) close() {
	l.handle.Close()
	l.socket.close()
}

func mobyService(s Service) *moby.Service {
	s = s.effective()
	return &moby.Service{
		Address:       s.Addr.AsSlice(),
		Protocol:      uint16(s.Protocol),
		Port:          s.Port,
		FWMark:        s.Mark,
		SchedName:     s.Scheduler,
		Flags:         uint32(s.Flags),
		Timeout:       s.Timeout,
		Netmask:       kernelNetmask(s.Netmask, s.IPv6),
		AddressFamily: family(s.IPv6),
		PEName:        s.PE,
	}
}

func mobyDestination(d Destination) *moby.Destination {
	return &moby.Destination{
		Address:         d.Addr().AsSlice(),
		Port:            d.Port(),
		Weight:          d.Weight,
		ConnectionFlags: uint32(d.Forward),
		UpperThreshold:  d.Upper,
		LowerThreshold:  d.Lower,
	}
}

// kernelNetmask is a netmask in the kernel's notation: for IPv6 a prefix length,
// else a mask in network byte order.
func kernelNetmask(n Netmask, ipv6 bool) uint32 {
	if ipv6 {
		return uint32(128 - n)
	}
	var quad [4]byte
	binary.BigEndian.PutUint32(quad[:], ^uint32(n))
	return binary.NativeEndian.Uint32(quad[:])
}

// readNetmask is the reverse of kernelNetmask. For an invalid prefix length it
// returns a mask that checkPersistence refuses.
func readNetmask(mask uint32, ipv6 bool) Netmask {
	if ipv6 {
		return 128 - Netmask(mask)
	}
	var quad [4]byte
	binary.NativeEndian.PutUint32(quad[:], mask)
	return Netmask(^binary.BigEndian.Uint32(quad[:]))
}
