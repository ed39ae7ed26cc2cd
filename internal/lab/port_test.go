package lab

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHoldPort asks the kernel for any port out of a range of one: it must not choose
// the held one, neither before a listener used it nor after.
func TestHoldPort(t *testing.T) {
	held, release := TakePort(t)
	defer release()
	for range 2 {
		if c, err := net.Dial("tcp", held.String()); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("connecting: %v, %v, want a refusal", c, err)
		}
		if err := chosen(t, held); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("the kernel chooses the held port for another listener: %v", err)
		}
		l, err := net.Listen("tcp", held.String())
		if err != nil {
			t.Fatal("the test's own listener:", err)
		}
		l.Close()
	}
	release()
	release()
	if err := chosen(t, held); err != nil {
		t.Error("after it was given back:", err)
	}
}

// chosen binds a socket to port 0, where the kernel may choose this port only.
func chosen(t *testing.T, only netip.AddrPort) error {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	port := int(only.Port())
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_LOCAL_PORT_RANGE, port<<16|port); err != nil {
		t.Skip("Linux before 6.3 cannot be asked for one port:", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback})
}
