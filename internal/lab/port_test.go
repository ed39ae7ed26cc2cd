package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHoldPort asks the kernel for any port out of a range of one: it must not choose
// the held one, neither before a listener used it nor after.
func TestHoldPort(t *testing.T) {
	if os.Geteuid() == 0 {
		OwnNetwork(t) // for chosen
	}
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

// TestHoldUDPPort has datagrams to a held port be refused, and no other socket get it.
func TestHoldUDPPort(t *testing.T) {
	held := HoldUDPPort(t)
	if l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(held)); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("another listens on it: %v, %v", l, err)
	}
	conn, err := net.Dial("udp", held.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a datagram: %v, want a refusal", err)
	}
}

// chosen binds a socket to port 0, where the kernel may choose this port only: that is a
// setting of root's network namespace, and for a normal user one of the socket.
func chosen(t *testing.T, only netip.AddrPort) error {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	port := int(only.Port())
	if os.Geteuid() == 0 {
		setPortRange(t, port, port)
		defer setPortRange(t, 32768, 60999) // the kernel's default
	} else if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_LOCAL_PORT_RANGE, port<<16|port); err != nil {
		t.Skip("Linux before 6.3 takes root to ask it for one port:", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback})
}

func setPortRange(t *testing.T, first, last int) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", fmt.Appendf(nil, "%d %d", first, last), 0o644); err != nil {
		t.Fatal(err)
	}
}
