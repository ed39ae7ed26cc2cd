package engine

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/origin"
)

// telling is a server that says from where the client came.
func telling(conn net.Conn) {
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	io.WriteString(conn, host+"\n")
}

func TestSource(t *testing.T) {
	here4, here6 := serve(t, telling), lab.ServeAt(t, "[::1]:0", telling)
	addr := netip.MustParseAddr
	const unassigned = "192.0.2.1" // RFC 5737, nobody's
	tests := []struct {
		name string
		from *origin.Origin
		to   netip.AddrPort
		want string
		err  string
	}{
		{"none", nil, here4, "127.0.0.1", ""},
		{"none, IPv6", nil, here6, "::1", ""},
		{"IPv4 within IPv6", nil, netip.AddrPortFrom(addr("::ffff:127.0.0.1"), here4.Port()), "127.0.0.1", ""},
		{"chosen", &origin.Origin{Addr: addr("127.0.0.9")}, here4, "127.0.0.9", ""},
		{"chosen, IPv6", &origin.Origin{Addr: addr("::1")}, here6, "::1", ""},
		{"chosen for the other family", &origin.Origin{Addr: addr("127.0.0.9")}, here6, "::1", ""},
		{"not ours", &origin.Origin{Addr: addr(unassigned)}, here4, "", "not checked: from 192.0.2.1: cannot assign requested address"},
		{"by a device", &origin.Origin{Device: "lo"}, here4, "127.0.0.1", ""},
		{"by no device", &origin.Origin{Device: "nosuch"}, here4, "", "not checked: by the device nosuch: no such device"},
		{"to a zone that is not there", nil, netip.MustParseAddrPort("[fe80::1%nowhere]:80"), "", "not checked: no interface nowhere"},
		{"to no address", nil, netip.AddrPort{}, "", "not checked: no address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ask{target: checker.Target{Network: "tcp", Addr: tt.to, From: tt.from}, silent: true, answer: tt.want}
			r := newEngine(t, Options{}).Ask(t.Context(), a, ample, 1)
			if diff := cmp.Diff(tt.err, errText(r.Err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if r.Local != (tt.err != "") {
				t.Errorf("Local = %v, want it for what is our own fault", r.Local)
			}
		})
	}
}

func TestZone(t *testing.T) {
	links, err := net.Interfaces()
	if err != nil || len(links) == 0 {
		t.Fatalf("no interfaces: %v", err)
	}
	for _, zone := range []string{links[0].Name, "1"} {
		sa, err := newSockaddr(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(zone), 80))
		if err != nil {
			t.Fatal(err)
		}
		if id := binary.NativeEndian.Uint32(sa.bytes[24:]); id == 0 {
			t.Errorf("zone %s has no number", zone)
		}
	}
}

// A connection to itself is what connecting to a closed port of this machine
// gives once in some ten thousand times.
func TestConnectedToItself(t *testing.T) {
	from, err := newSockaddr(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	fd, errno := newSocket(syscall.AF_INET, syscall.SOCK_STREAM)
	if errno != 0 {
		t.Fatal(errno)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	self, errno := ownAddr(fd)
	if errno != 0 {
		t.Fatal(errno)
	}
	s := &socket{kernel: linux{}, fd: fd, to: self, maybeSelf: true}
	s.to.size = from.size
	if err := s.connect(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if settled, _, err := s.established(); !settled || err != ErrRefused {
		t.Errorf("established() = %v, %v; want refused", settled, err)
	}
}

// No descriptors left is our fault and not the real server's.
func TestNoDescriptors(t *testing.T) {
	e := newEngine(t, Options{})
	addr := serve(t, silent)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	highest, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer highest.Close()
	// Below the lowest free one: no more can be opened.
	low := syscall.Rlimit{Cur: 3, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	r := e.Ask(t.Context(), checker.Connect{Addr: addr}, ample, 1)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	want := verdict{Err: "not checked: opening a socket: too many open files", Local: true}
	if diff := cmp.Diff(want, verdictOf(r)); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}

func TestFromConnect(t *testing.T) {
	tests := []struct {
		errno syscall.Errno
		want  string
		local bool
	}{
		{syscall.ECONNREFUSED, "connection refused", false},
		{syscall.EHOSTUNREACH, "no route to host", false},
		{syscall.ETIMEDOUT, "connection timed out", false},
		{syscall.ENETUNREACH, "not checked: network is unreachable", true},
		{syscall.EADDRNOTAVAIL, "not checked: cannot assign requested address", true},
		{syscall.EPERM, "not checked: operation not permitted", true},
		{syscall.ENOBUFS, "not checked: no buffer space available", true},
	}
	for _, tt := range tests {
		err := fromConnect(tt.errno)
		if err.Error() != tt.want || checker.IsLocal(err) != tt.local {
			t.Errorf("fromConnect(%v) = %q, local %v; want %q, %v", tt.errno, err, checker.IsLocal(err), tt.want, tt.local)
		}
	}
	// The same word over the network comes from some router.
	if err := fromPeer(syscall.ENETUNREACH); !errors.Is(err, ErrUnreachable) || checker.IsLocal(err) {
		t.Errorf("fromPeer(ENETUNREACH) = %v, local %v; want unreachable, not local", err, checker.IsLocal(err))
	}
}

func TestLowestEphemeral(t *testing.T) {
	port := serve(t, silent).Port() // the kernel chose it
	if low := lowestEphemeral(); low > port {
		t.Errorf("lowestEphemeral() = %d, want at most %d, which the kernel chose", low, port)
	}
}

func TestForSockets(t *testing.T) {
	tests := []struct {
		limit uint64
		want  int
	}{
		{0, 1}, {1, 1}, {64, 32}, {1024, 512}, {4096, 3072}, {20_000, 18_976}, {1 << 20, 32768}, {1 << 63, 32768},
	}
	for _, tt := range tests {
		if got := forSockets(tt.limit); got != tt.want {
			t.Errorf("forSockets(%d) = %d, want %d", tt.limit, got, tt.want)
		}
	}
}
