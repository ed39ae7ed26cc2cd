package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"ldirectord/checker"
)

// A socket is a non-blocking socket, connected to a real server. It takes fewer
// system calls and less memory than a net.Dialer's, which keeps a context and
// addresses that nobody asks for. It comes to Go's poller when something has to
// be waited for the first time: a neighbour's connection stands at once, and
// writing into an empty socket never waits.
type socket struct {
	fd       int
	ctx      context.Context
	deadline time.Time

	file *os.File // fd on the poller, nil until then
	raw  syscall.RawConn
	stop func() bool // of watching ctx
}

// connect opens a socket to addr. Everything that is done with it ends by the
// deadline, and when ctx does.
func (e *Engine) connect(ctx context.Context, network string, addr netip.AddrPort, deadline time.Time) (*socket, error) {
	to, family, err := sockaddr(addr)
	if err != nil {
		return nil, checker.LocalError{Err: err}
	}
	kind := syscall.SOCK_STREAM
	if network == "udp" {
		kind = syscall.SOCK_DGRAM
	}
	fd, err := syscall.Socket(family, kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, checker.LocalError{Err: fmt.Errorf("opening a socket: %w", err)}
	}
	s := &socket{fd: fd, ctx: ctx, deadline: deadline}
	if err := e.begin(s, to, family, network); err != nil {
		_ = s.Close() // never connected
		return nil, err
	}
	return s, nil
}

// begin binds and connects a new socket.
func (e *Engine) begin(s *socket, to syscall.Sockaddr, family int, network string) error {
	if err := e.bind(s.fd, family); err != nil {
		return err
	}
	// An interrupted connect goes on by itself.
	if err := syscall.Connect(s.fd, to); err != nil && err != syscall.EINPROGRESS && err != syscall.EINTR {
		return fromConnect(err)
	}
	if network == "udp" {
		return nil
	}
	if err := s.established(to); err != nil {
		return err
	}
	if port(to) >= e.ephemeral && isSelf(s.fd, to) {
		return ErrRefused
	}
	return nil
}

// established waits until the connection stands.
//
// It asks the socket and not the poller: the event may have come before the
// wait for it began, and events that mean nothing come too. To ask is to
// connect again, which tells how the first attempt goes (connect(2)).
func (s *socket) established(to syscall.Sockaddr) error {
	var failed error
	settled := func(uintptr) bool {
		failed = syscall.Connect(s.fd, to)
		return failed != syscall.EALREADY && failed != syscall.EINPROGRESS && failed != syscall.EINTR
	}
	if !settled(0) {
		if err := s.poll(); err != nil {
			return err
		}
		if err := s.raw.Write(settled); err != nil {
			return err
		}
	}
	if failed == syscall.EISCONN {
		return nil
	}
	return fromPeer(failed)
}

// poll hands the socket to the poller, unless it is there.
func (s *socket) poll() error {
	if s.file != nil {
		return nil
	}
	s.file = os.NewFile(uintptr(s.fd), "socket")
	s.stop = context.AfterFunc(s.ctx, s.interrupt)
	raw, err := s.file.SyscallConn()
	if err == nil {
		s.raw = raw
		err = s.setDeadline(s.deadline)
	}
	if err != nil {
		return checker.LocalError{Err: err}
	}
	return nil
}

// setDeadline sets the time by which all reads and writes end, unless ctx has.
func (s *socket) setDeadline(t time.Time) error {
	if err := s.poll(); err != nil {
		return err
	}
	if err := s.file.SetDeadline(t); err != nil {
		return err
	}
	if s.ctx.Err() != nil {
		s.interrupt() // may have come first and been overwritten
	}
	return nil
}

// interrupt ends all reads and writes now.
func (s *socket) interrupt() {
	_ = s.file.SetDeadline(time.Unix(1, 0)) // fails only when there are none any more
}

// isSelf reports whether a socket connected to an address is connected to
// itself. That happens when nobody listens on a port of this machine and the
// kernel happens to choose the same one for us: the two ends open
// simultaneously.
func isSelf(fd int, to syscall.Sockaddr) bool {
	self, err := syscall.Getsockname(fd)
	if err != nil {
		return false
	}
	switch self := self.(type) {
	case *syscall.SockaddrInet4:
		to, ok := to.(*syscall.SockaddrInet4)
		return ok && self.Port == to.Port && self.Addr == to.Addr
	case *syscall.SockaddrInet6:
		to, ok := to.(*syscall.SockaddrInet6)
		return ok && self.Port == to.Port && self.Addr == to.Addr
	}
	return false
}

// ipBindAddressNoPort is IP_BIND_ADDRESS_NO_PORT of linux/in.h.
const ipBindAddressNoPort = 24

// bind sets the address that the real server sees, if one was chosen.
func (e *Engine) bind(fd, family int) error {
	source := e.source4
	if family == syscall.AF_INET6 {
		source = e.source6
	}
	if !source.IsValid() {
		return nil
	}
	from, of, err := sockaddr(netip.AddrPortFrom(source, 0))
	if err == nil && of != family {
		err = syscall.EAFNOSUPPORT
	}
	if err == nil {
		// The port is chosen when connecting, so that there are as many for each
		// real server and not for all together. A kernel without it still works.
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, ipBindAddressNoPort, 1)
		err = syscall.Bind(fd, from)
	}
	if err != nil {
		return checker.LocalError{Err: fmt.Errorf("from %v: %w", source, err)}
	}
	return nil
}

// sockaddr returns addr as the kernel wants it.
func sockaddr(addr netip.AddrPort) (sa syscall.Sockaddr, family int, err error) {
	ip := addr.Addr().Unmap()
	switch {
	case ip.Is4():
		return &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}, syscall.AF_INET, nil
	case ip.Is6():
		zone, err := zoneID(ip.Zone())
		return &syscall.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16(), ZoneId: zone}, syscall.AF_INET6, err
	}
	return nil, 0, fmt.Errorf("no address")
}

// port is an address's port.
func port(sa syscall.Sockaddr) uint16 {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return uint16(sa.Port)
	case *syscall.SockaddrInet6:
		return uint16(sa.Port)
	}
	return 0
}

// zoneID is the number of the interface that an IPv6 zone names. It is looked
// up each time: an interface that comes back has another number.
func zoneID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if id, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(id), nil
	}
	link, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("no interface %s", zone)
	}
	return uint32(link.Index), nil
}

// Close closes the connection in the ordinary way, as the original does. A
// reset (SO_LINGER 0) would leave no TIME_WAIT here, but servers log it as an
// error and some count it against us; it saves no CPU. A positive linger time
// would block in close when the peer vanishes.
func (s *socket) Close() error {
	if s.file == nil {
		return syscall.Close(s.fd)
	}
	s.stop()
	return s.file.Close()
}

// closeWrite tells the peer that no more will come.
func (s *socket) closeWrite() error { return syscall.Shutdown(s.fd, syscall.SHUT_WR) }

// noDelay sends small packets at once. Only TLS needs it, which sends two in a
// row after the handshake; a Dialogue waits for an answer in between.
func (s *socket) noDelay() error {
	return syscall.SetsockoptInt(s.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
}

// write writes all of b.
func (s *socket) write(b []byte) error {
	if s.file == nil {
		n, err := syscall.Write(s.fd, b)
		if err != nil && err != syscall.EAGAIN && err != syscall.EINTR {
			return err
		}
		if b = b[max(n, 0):]; len(b) == 0 {
			return nil
		}
		if err := s.poll(); err != nil {
			return err
		}
	}
	_, err := s.file.Write(b)
	return err
}

// read waits until something can be read and puts it into b's room, where add
// is to be told of it. Nothing without an error is the peer's end, or an empty
// datagram.
func (s *socket) read(b *inbox) (n int, err error) {
	if err := s.poll(); err != nil {
		return 0, err
	}
	var failed error
	err = s.raw.Read(func(fd uintptr) bool {
		n, failed = readOnce(int(fd), b.room())
		if errors.Is(failed, syscall.EAGAIN) {
			b.add(0) // gives the buffer back while waiting
			return false
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return max(n, 0), err
}

func readOnce(fd int, into []byte) (n int, err error) {
	for {
		n, err = syscall.Read(fd, into)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
