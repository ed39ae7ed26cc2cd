package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// HoldPort returns a TCP port of 127.0.0.1 that refuses connections until the end of the
// test. It is bound by a socket that does not listen, so the kernel chooses it for no
// other socket: neither for a listener on port 0 nor for the end of a connection. The
// test may listen on it with net.Listen, and close that listener, as often as it likes.
func HoldPort(t testing.TB) netip.AddrPort {
	t.Helper()
	addr, release := TakePort(t)
	t.Cleanup(release)
	return addr
}

// TakePort is HoldPort for a test that takes many: release gives the port back. A second
// call of release does nothing.
func TakePort(t testing.TB) (addr netip.AddrPort, release func()) {
	t.Helper()
	fd, port, err := bindLoopback()
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "held port")
	return netip.AddrPortFrom(netip.AddrFrom4(loopback), port), func() { file.Close() }
}

// HoldUDPPort is HoldPort for UDP. Its socket is connected to another port, so the kernel
// gives it no datagram and answers each that it is refused.
func HoldUDPPort(t testing.TB) netip.AddrPort {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: loopback[:], Port: 9}) // it sends nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

var loopback = [4]byte{127, 0, 0, 1}

// bindLoopback binds a socket to a port that the kernel chooses.
func bindLoopback() (fd int, port uint16, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, 0, fmt.Errorf("opening a socket: %w", err)
	}
	// With SO_REUSEADDR on both, the socket that does not listen lets the test's listener
	// bind the same port by its number.
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback})
	}
	var at unix.Sockaddr
	if err == nil {
		at, err = unix.Getsockname(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, 0, fmt.Errorf("binding a port of loopback: %w", err)
	}
	return fd, uint16(at.(*unix.SockaddrInet4).Port), nil
}
