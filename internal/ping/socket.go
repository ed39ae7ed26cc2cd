package ping

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/origin"
)

// echoBuffer is the size of a socket's buffer in either direction. Requests to
// hosts that do not answer ARP count as unsent for seconds: with the usual buffer
// some hundred dead servers would stop all pings.
const echoBuffer = 8 << 20

// An echoSocket is the one socket of an address family.
type echoSocket struct {
	icmpFamily
	raw  bool // else one of the kernel's ping sockets
	id   uint16
	file *os.File
	conn syscall.RawConn
	done chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	next    uint16
	waiting map[uint16]*echo
}

// openEchoSocket opens the socket, with the origin from, and starts its reader. It is a raw socket or,
// without the rights for that, a ping socket, which the kernel grants to members of
// ping_group_range.
func openEchoSocket(f icmpFamily, from *origin.Origin) (*echoSocket, error) {
	s := &echoSocket{
		icmpFamily: f, raw: true, id: uint16(os.Getpid()),
		done: make(chan struct{}), waiting: map[uint16]*echo{},
	}
	fd, err := f.open(unix.SOCK_RAW)
	if isNoRight(err) {
		s.raw = false
		fd, err = f.open(unix.SOCK_DGRAM)
	}
	if isNoRight(err) {
		return nil, fmt.Errorf("no right to send %s pings: run as root, with CAP_NET_RAW, or in a group of net.ipv4.ping_group_range", f.name)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a socket for %s pings: %w", f.name, err)
	}
	if err := from.Set(fd, f.domain()); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	s.file = os.NewFile(uintptr(fd), "ping")
	if s.conn, err = s.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	go s.receive()
	return s, nil
}

// open opens a socket that receives answers only.
func (f icmpFamily) open(kind int) (int, error) {
	fd, err := unix.Socket(f.domain(), kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, f.protocol)
	if err != nil {
		return -1, err
	}
	// Without the right to exceed the limit, use the limit.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, echoBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, echoBuffer)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, echoBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, echoBuffer)
	}
	if kind == unix.SOCK_RAW {
		err = f.filter(fd)
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func (f icmpFamily) domain() int {
	if f.addrLen == 16 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// filter keeps other ICMP messages away from a raw socket.
func (f icmpFamily) filter(fd int) error {
	if f.addrLen == 4 {
		wanted := 1<<ipv4.ICMPTypeEchoReply | 1<<ipv4.ICMPTypeDestinationUnreachable
		return unix.SetsockoptInt(fd, unix.SOL_RAW, unix.ICMP_FILTER, int(int32(^wanted)))
	}
	var blocked unix.ICMPv6Filter
	for i := range blocked.Data {
		blocked.Data[i] = ^uint32(0)
	}
	for _, wanted := range []ipv6.ICMPType{ipv6.ICMPTypeEchoReply, ipv6.ICMPTypeDestinationUnreachable} {
		blocked.Data[wanted>>5] &^= 1 << (wanted & 31)
	}
	return unix.SetsockoptICMPv6Filter(fd, unix.IPPROTO_ICMPV6, unix.ICMPV6_FILTER, &blocked)
}

// send sends the request e. It does not wait: a full buffer is an error.
func (s *echoSocket) send(e *echo) error {
	message, err := s.marshal(e, s.id)
	if err != nil {
		return err
	}
	to := sockaddr(e.addr)
	blocked := s.conn.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), message, unix.MSG_DONTWAIT, to)
		return true
	})
	return errors.Join(blocked, err)
}

// receive delivers datagrams until the socket is closed or fails.
func (s *echoSocket) receive() {
	defer close(s.done)
	buffer := make([]byte, 1500)
	for {
		var n int
		var from unix.Sockaddr
		var err error
		closed := s.conn.Read(func(fd uintptr) bool {
			n, from, err = unix.Recvfrom(int(fd), buffer, unix.MSG_DONTWAIT)
			return err != unix.EAGAIN
		})
		if closed != nil || err != nil && err != unix.EINTR {
			return
		}
		s.deliver(addrOf(from), s.withoutHeader(buffer[:max(n, 0)]))
	}
}

// withoutHeader strips the IP header that a raw IPv4 socket receives.
func (s *echoSocket) withoutHeader(datagram []byte) []byte {
	if !s.raw || s.addrLen != 4 || len(datagram) == 0 {
		return datagram
	}
	return datagram[min(int(datagram[0]&0x0f)*4, len(datagram)):]
}

// broken reports whether the reader has ended.
func (s *echoSocket) broken() bool {
	select {
	case <-s.done:
		_ = s.file.Close()
		return true
	default:
		return false
	}
}

// close closes the socket and waits for receive.
func (s *echoSocket) close() error {
	err := s.file.Close()
	<-s.done
	return err
}

// sockaddr converts addr for system calls.
func sockaddr(addr netip.Addr) unix.Sockaddr {
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4()}
	}
	return &unix.SockaddrInet6{Addr: addr.As16(), ZoneId: zoneID(addr.Zone())}
}

// zoneID is the number of the interface that zone names, 0 if there is none.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	link, err := net.InterfaceByName(zone)
	if err != nil {
		return 0
	}
	return uint32(link.Index)
}

// addrOf is the address in sa, without a zone.
func addrOf(sa unix.Sockaddr) netip.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr)
	}
	return netip.Addr{}
}

// isNoRight reports whether err means missing rights.
func isNoRight(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
}
