package checker

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// badPeer is a server that does not behave.
type badPeer struct {
	name  string
	serve func(net.Conn) // until the client has gone
	want  string         // contained in every check's error
}

const badPeerTimeout = 150 * time.Millisecond

// timeout is that of a check, without end where the peer ends the check.
func (p badPeer) timeout() time.Duration {
	if p.want == "connection" {
		return eventually.Limit
	}
	return badPeerTimeout
}

var badPeers = []badPeer{
	{"silent", func(c net.Conn) { io.Copy(io.Discard, c) }, "no answer in 1"},
	{"closes at once", func(net.Conn) {}, "connection"},
	{"resets after the request", func(c net.Conn) {
		c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // some wait for a greeting
		c.Read(make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
	}, ""},
	{"byte by byte", func(c net.Conn) { drip(c, strings.Repeat("2", 1000)) }, ""},
	{"a line, byte by byte", func(c net.Conn) { drip(c, "220 "+strings.Repeat("x", 1000)) }, ""},
	{"zeros without end", endless(make([]byte, 4<<10)), ""},
	{"ones without end", endless([]byte(strings.Repeat("\xff", 4<<10))), ""},
	{"lines without end", endless([]byte(strings.Repeat("220-what?\r\n", 400))), ""},
	{"LDAP without end", endless([]byte{0x30, 0x80}), ""},
	{"speaks HTTP", answers("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), ""},
	{"speaks SMTP", answers("220 mail ESMTP\r\n"), ""},
	{"speaks TLS", answers("\x15\x03\x01\x00\x02\x02\x0a"), ""},
	{"announces too much", answers("\x30\x84\x7f\xff\xff\xff\x02\x01\x01"), ""},
	{"not UTF-8", answers("500 \xff\xfe\x00\x1b[31m\r\n"), ""},
}

// drip writes text slowly.
func drip(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func endless(b []byte) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
}

func answers(text string) func(net.Conn) {
	return func(c net.Conn) {
		c.Read(make([]byte, 1024)) // some wait for a greeting, and get none
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

// libraryCheckers returns a check of every kind that a library does.
func libraryCheckers(addr netip.AddrPort) map[string]Caller {
	insecure := &tls.Config{InsecureSkipVerify: true}
	checks := map[string]Caller{
		"ldap":     LDAP{Addr: addr, Request: "/dc=x", Login: "cn=m", Passwd: "secret"},
		"ldaps":    LDAP{Addr: addr, Request: "/dc=x", TLS: insecure},
		"starttls": LDAP{Addr: addr, Request: "/dc=x", StartTLS: insecure},
		"mysql":    MySQL{Addr: addr, Login: "m", Passwd: "secret", Request: "/select 1"},
		"pgsql":    PgSQL{Addr: addr, Login: "m", Passwd: "secret", Request: "/select 1"},
		"ftp":      FTP{Addr: addr, Login: "m", Passwd: "secret", Request: "/file"},
	}
	if hasOracle {
		checks["oracle"] = Oracle{Addr: addr, Login: "m", Passwd: "secret", Database: "X", Request: "/select 1 from dual"}
	}
	return checks
}

// TestBadPeers runs every check against every bad peer: it is down by the deadline,
// its error is one line without the password, and no goroutine, process or
// descriptor remains.
func TestBadPeers(t *testing.T) {
	for _, peer := range badPeers {
		t.Run(peer.name, func(t *testing.T) {
			leavesNothing(t)
			addr := listen(t, peer.serve)
			var wg sync.WaitGroup
			for name, check := range libraryCheckers(addr) {
				wg.Go(func() { askBadPeer(t, name, check, peer.timeout(), peer.want) })
			}
			wg.Wait()
		})
	}
}

// askBadPeer runs one check and judges its error.
func askBadPeer(t *testing.T, name string, check Caller, timeout time.Duration, want string) {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	begin := time.Now()
	_, err := check.Check(ctx)
	eventually.InTime(t, name, begin, timeout)
	if err == nil || IsLocal(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v (local: %v), want %q", name, err, IsLocal(err), want)
		return
	}
	text := err.Error()
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\ufffd' }) || len(text) > 400 {
		t.Errorf("%s: error is not one clean line: %q", name, text)
	}
	if strings.Contains(text, "secret") {
		t.Errorf("%s: error shows the password: %q", name, text)
	}
	t.Logf("%s: %s", name, text)
}

// TestNoPeer checks addresses without a listener, and a listener that accepts
// nothing.
func TestNoPeer(t *testing.T) {
	leavesNothing(t)
	for name, check := range libraryCheckers(lab.HoldPort(t)) {
		_, err := check.Check(t.Context())
		if got, want := errText(err), "connection refused"; got != want {
			t.Errorf("%s: error %q, want %q", name, got, want)
		}
	}
	var wg sync.WaitGroup
	for name, check := range libraryCheckers(blackHole(t)) {
		wg.Go(func() { askBadPeer(t, name, check, badPeerTimeout, "ms while connecting") })
	}
	wg.Wait()
}

// TestManySilent has hundreds of checks hang at once.
func TestManySilent(t *testing.T) {
	leavesNothing(t)
	addr := listen(t, badPeers[0].serve)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	begin := time.Now()
	var wg sync.WaitGroup
	for range 50 {
		for name, check := range libraryCheckers(addr) {
			wg.Go(func() {
				if _, err := check.Check(ctx); err == nil || IsLocal(err) {
					t.Errorf("%s: error %v", name, err)
				}
			})
		}
	}
	wg.Wait()
	eventually.InTime(t, "all of them", begin, 500*time.Millisecond)
}

// TestCancelled cancels checks that wait.
func TestCancelled(t *testing.T) {
	leavesNothing(t)
	addr := listen(t, badPeers[0].serve)
	for name, check := range libraryCheckers(addr) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		begin := time.Now()
		if _, err := check.Check(ctx); err == nil {
			t.Errorf("%s: no error", name)
		}
		eventually.InTime(t, name, begin, 0)
	}
}

// listen serves on a loopback address until the end of the test.
func listen(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	return lab.ServeAt(t, "127.0.0.1:0", serve)
}

// blackHole returns an address where connections stay unanswered: a listener that
// accepts nothing and whose queue is full.
func blackHole(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*unix.SockaddrInet4).Port))
	for range 4 {
		c, err := net.DialTimeout("tcp", addr.String(), 50*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("the queue does not fill")
	return addr
}
