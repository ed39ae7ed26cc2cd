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

// A socket is a non-blocking socket on Go's poller, connected to a real server.
// It takes fewer system calls and less memory than a net.Dialer's, which keeps
// a context and addresses that nobody asks for.
type socket struct {
	file *os.File
	raw  syscall.RawConn
	stop func() bool // of watching the context
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
	if err := e.bind(fd, family); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	// An interrupted connect goes on by itself.
	if err := syscall.Connect(fd, to); err != nil && err != syscall.EINPROGRESS && err != syscall.EINTR {
		syscall.Close(fd)
		return nil, fromConnect(err)
	}
	s, err := newSocket(ctx, fd, deadline)
	if err != nil || network == "udp" {
		return s, err
	}
	if err := e.established(s, addr.Port()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// newSocket hands fd to the poller.
func newSocket(ctx context.Context, fd int, deadline time.Time) (*socket, error) {
	s := &socket{file: os.NewFile(uintptr(fd), "socket")}
	s.stop = context.AfterFunc(ctx, s.interrupt)
	raw, err := s.file.SyscallConn()
	if err == nil {
		s.raw = raw
		err = s.setDeadline(ctx, deadline)
	}
	if err != nil {
		s.Close()
		return nil, checker.LocalError{Err: err}
	}
	return s, nil
}

// setDeadline sets the time by which all reads and writes end, unless ctx has.
func (s *socket) setDeadline(ctx context.Context, t time.Time) error {
	if err := s.file.SetDeadline(t); err != nil {
		return err
	}
	if ctx.Err() != nil {
		s.interrupt() // may have come first and been overwritten
	}
	return nil
}

// interrupt ends all reads and writes now.
func (s *socket) interrupt() {
	_ = s.file.SetDeadline(time.Unix(1, 0)) // fails only when there are none any more
}

// established waits until the connection stands. port is the peer's.
//
// It asks the socket and not the poller: the event may have come before the
// wait for it began, and events that mean nothing come too.
func (e *Engine) established(s *socket, port uint16) error {
	var refused error
	err := s.raw.Write(func(fd uintptr) (settled bool) {
		settled, refused = connected(int(fd), port >= e.ephemeral)
		return settled
	})
	if err != nil {
		return err
	}
	return refused
}

// connected tells whether the fate of a connect is settled, and how.
func connected(fd int, maybeSelf bool) (settled bool, err error) {
	peer, err := syscall.Getpeername(fd)
	if err == nil {
		if maybeSelf && isSelf(fd, peer) {
			return true, ErrRefused
		}
		return true, nil
	}
	code, failed := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	switch {
	case failed != nil:
		return true, failed
	case code != 0:
		return true, fromPeer(syscall.Errno(code))
	}
	return err != syscall.ENOTCONN, err
}

// isSelf reports whether a socket is connected to itself. That happens when
// nobody listens on a port of this machine and the kernel happens to choose the
// same one for us: the two ends open simultaneously.
func isSelf(fd int, peer syscall.Sockaddr) bool {
	self, err := syscall.Getsockname(fd)
	if err != nil {
		return false
	}
	switch self := self.(type) {
	case *syscall.SockaddrInet4:
		peer, ok := peer.(*syscall.SockaddrInet4)
		return ok && self.Port == peer.Port && self.Addr == peer.Addr
	case *syscall.SockaddrInet6:
		peer, ok := peer.(*syscall.SockaddrInet6)
		return ok && self.Port == peer.Port && self.Addr == peer.Addr
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
	s.stop()
	return s.file.Close()
}

// closeWrite tells the peer that no more will come.
func (s *socket) closeWrite() error {
	var shut error
	err := s.raw.Control(func(fd uintptr) { shut = syscall.Shutdown(int(fd), syscall.SHUT_WR) })
	if err != nil {
		return err
	}
	return shut
}

// noDelay sends small packets at once. Only TLS needs it, which sends two in a
// row after the handshake; a Dialogue waits for an answer in between.
func (s *socket) noDelay() error {
	var set error
	err := s.raw.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	})
	if err != nil {
		return err
	}
	return set
}

// read waits until something can be read and puts it into b's room, where add
// is to be told of it. Nothing without an error is the peer's end, or an empty
// datagram.
func (s *socket) read(b *inbox) (n int, err error) {
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
