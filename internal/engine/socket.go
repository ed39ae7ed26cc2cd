package engine

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// A socket is a non-blocking socket connecting or connected to a real server. It
// takes fewer system calls and less memory than a net.Dialer's, which keeps a
// context and unused addresses.
type socket struct {
	kernel    kernel
	fd        int
	to        sockaddr
	maybeSelf bool // to's port is one that the kernel may choose for us
	udp       bool

	// While the loop has it.
	away   bool   // some events may have come unnoticed
	events uint32 // that are waited for, 0 before the first time

	// While TLS has it.
	file *os.File    // fd on Go's poller, nil before
	stop func() bool // of watching the context
}

// open opens a socket and begins to connect it to addr.
func (e *Engine) open(target checker.Target, addr netip.AddrPort) (*socket, error) {
	to, err := newSockaddr(addr)
	if err != nil {
		return nil, checker.LocalError{Err: err}
	}
	kind := syscall.SOCK_STREAM
	if target.Network == "udp" {
		kind = syscall.SOCK_DGRAM
	}
	fd, errno := newSocket(to.family(), kind)
	if errno != 0 {
		return nil, checker.LocalError{Err: fmt.Errorf("opening a socket: %w", errno)}
	}
	s := &socket{kernel: e.kernel, fd: fd, to: to, maybeSelf: addr.Port() >= e.ephemeral, udp: target.Network == "udp"}
	if err = target.From.Set(fd, to.family()); err != nil {
		err = checker.LocalError{Err: err}
	}
	if target.HalfOpen {
		halfOpen(fd)
	}
	if err == nil {
		err = s.connect()
	}
	if err != nil {
		_ = s.Close() // never connected
		return nil, err
	}
	return s, nil
}

// halfOpen has the connection of fd end before the server's process sees it. The
// kernel then holds the last ACK of the handshake back, for 100 ms at least as for
// one that could travel with data (tcp_rcv_synsent_state_process in
// net/ipv4/tcp_input.c), and a close by then sends a reset in its place: the
// server's kernel forgets the connection, and there is no TIME_WAIT here. If the
// loop comes later than that, the server sees a connection that was reset at once.
// Where the kernel cannot do it, the check is an ordinary one.
func halfOpen(fd int) {
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 0)
	_ = syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
}

// connect begins to connect. An interrupted connect goes on by itself.
func (s *socket) connect() error {
	switch errno := s.kernel.connect(s.fd, &s.to); errno {
	case 0, syscall.EINPROGRESS, syscall.EINTR:
		return nil
	default:
		return fromConnect(errno)
	}
}

// established reports whether the attempt to connect has ended. gone is the reset
// that followed it, nil if there was none; err is the reason why there was no
// connection.
//
// It reads the state from the socket and not from the poller: the event may precede
// the wait for it, and there are events without a meaning. In a nearby network the
// connection is often complete when connect returns.
func (s *socket) established() (settled bool, gone, err error) {
	switch {
	case s.udp:
		return true, nil, nil
	case s.kernel.connected(s.fd):
		if s.maybeSelf && s.isSelf() {
			return true, nil, ErrRefused
		}
		return true, nil, nil
	}
	switch errno := s.kernel.peek(s.fd); errno {
	case syscall.EAGAIN, syscall.EINTR:
		return false, nil, nil
	case 0:
		return true, nil, nil // it stood: what the peer sent can still be read
	case syscall.ECONNRESET, syscall.EPIPE:
		return true, ErrReset, nil // so it stood; a refusal has an errno of its own
	default:
		return true, nil, fromPeer(errno)
	}
}

// poll registers the socket with Go's poller, for TLS. From then on all operations
// on it end by the deadline, and when ctx does.
func (s *socket) poll(ctx context.Context, deadline time.Time) error {
	if err := s.noDelay(); err != nil {
		return err
	}
	s.file = os.NewFile(uintptr(s.fd), "socket")
	s.stop = context.AfterFunc(ctx, s.interrupt)
	if err := s.file.SetDeadline(deadline); err != nil {
		return checker.LocalError{Err: err}
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

// isSelf reports whether the socket is connected to itself. That happens on a port
// of this machine without a listener if the kernel chooses the same port for the
// client: the two ends open simultaneously.
func (s *socket) isSelf() bool {
	self, errno := ownAddr(s.fd)
	return errno == 0 && self.addrPort() == s.to.addrPort()
}

// Close closes the connection in the ordinary way, as the original does, unless
// it is half-open. A reset (SO_LINGER 0) of a connection that the server has seen
// would leave no TIME_WAIT here, but servers log it as an error and some count it
// against us. A positive linger time would block in close when the peer vanishes.
func (s *socket) Close() error {
	if s.file == nil {
		closeSocket(s.fd)
		return nil
	}
	s.stop()
	return s.file.Close()
}

// closeWrite closes the sending side.
func (s *socket) closeWrite() error { return syscall.Shutdown(s.fd, syscall.SHUT_WR) }

// noDelay sends small packets at once. Only TLS needs it, which sends two in a
// row after the handshake; a Dialogue waits for an answer in between.
func (s *socket) noDelay() error {
	return syscall.SetsockoptInt(s.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
}

// write writes as much of b as goes without waiting.
func (s *socket) write(b []byte) (n int, err error) {
	for n < len(b) {
		k, errno := s.kernel.send(s.fd, b[n:])
		switch errno {
		case 0, syscall.EINTR:
		case syscall.EAGAIN:
			return n, nil
		default:
			return n, errno
		}
		n += k
	}
	return n, nil
}
