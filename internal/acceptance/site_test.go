// Package acceptance runs the whole program as its users do: the binary, in the
// background, on a kernel with IPVS, between a client and real servers that
// fail. It has nothing but tests.
package acceptance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mqliang/libipvs"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// The addresses of the how-to whose file is testdata/acceptance/howto.cf. They
// stand beside the lab's own, so that the file can be run as it is.
const (
	directorAddr = "192.168.1.12"
	clientAddr   = "192.168.1.50"
	vip          = "192.168.1.99"
	real1        = "192.168.1.13"  // of rs1
	real2        = "192.168.1.100" // of rs2
)

// page is what the how-to's file expects in the page of a real server; the name
// of the server follows.
const page = "This is a LVS Page of "

// program is the import path of what is tested.
const program = "github.com/ldirectord/ldirectord/cmd/ldirectord"

// A site is the lab's network with the how-to's addresses.
type site struct {
	*lab.Net
	t        testing.TB
	mode     lab.Mode
	visitors *atomic.Uint32 // that have been here
	reader   libipvs.IPVSHandle
}

// in is the site for a subtest.
func (s *site) in(t testing.TB) *site {
	its := *s
	its.t = t
	return &its
}

// newSite builds a site with two real servers whose pages are good.
func newSite(t testing.TB, mode lab.Mode) *site {
	t.Helper()
	install(t)
	s := &site{Net: lab.New(t, mode, 2), t: t, mode: mode, visitors: new(atomic.Uint32)}
	if mode == lab.NAT {
		s.ip("director", "addr add "+directorAddr+"/24 dev eth1", "addr add "+vip+"/32 dev eth0")
		s.ip("client", "route add "+vip+" via "+lab.Director)
	} else {
		s.ip("director", "addr add "+directorAddr+"/24 dev eth0", "addr add "+vip+"/32 dev eth0")
		s.ip("client", "addr add "+clientAddr+"/24 dev eth0")
	}
	s.join("rs1", real1)
	s.join("rs2", real2)
	s.inviteVisitors()
	err := s.In("director", func() (err error) {
		s.reader, err = libipvs.NewIPVSHandle(libipvs.IPVSHandleParams{})
		return err
	})
	if err != nil {
		t.Fatalf("opening libipvs: %v", err)
	}
	return s
}

// join gives a real server its address of the how-to.
func (s *site) join(name, addr string) {
	s.t.Helper()
	commands := []string{"addr add " + addr + "/24 dev eth0"}
	switch s.mode {
	case lab.DR:
		commands = append(commands, "addr add "+vip+"/32 dev lo")
	case lab.Tun:
		commands = append(commands, "addr add "+vip+"/32 dev tunl0")
	case lab.NAT, lab.Masq:
	}
	s.ip(name, commands...)
	s.Web(name).Answer(http.StatusOK, page+name)
}

// The networks behind the client from which its visitors come.
var (
	visitors4 = netip.MustParsePrefix("172.16.0.0/16")
	visitors6 = netip.MustParsePrefix("fd00:0:0:c::/64")
)

// inviteVisitors makes the client the place where all addresses of two networks
// live, and the way to it known.
func (s *site) inviteVisitors() {
	s.t.Helper()
	s.ip("client", "route add local "+visitors4.String()+" dev lo", "route add local "+visitors6.String()+" dev lo")
	s.Output("client", "sysctl", "-q", "net.ipv6.ip_nonlocal_bind=1")
	knowing := []string{"director"}
	if s.mode != lab.NAT { // where the real servers answer by the director
		knowing = append(knowing, "rs1", "rs2")
	}
	for _, name := range knowing {
		s.ip(name, "route add "+visitors4.String()+" via "+lab.Client, "route add "+visitors6.String()+" via "+lab.Client6)
	}
}

// visitor is the address of somebody who has not been here before: no
// persistence binds it to a real server.
func (s *site) visitor(ipv6 bool) netip.Addr {
	number := s.visitors.Add(1)
	if ipv6 {
		a := visitors6.Addr().As16()
		a[14], a[15] = byte(number>>8), byte(number)
		return netip.AddrFrom16(a)
	}
	a := visitors4.Addr().As4()
	a[2], a[3] = byte(number>>8), byte(number)
	return netip.AddrFrom4(a)
}

// ip runs commands of ip(8) in a namespace, in one process.
func (s *site) ip(ns string, commands ...string) {
	s.t.Helper()
	cmd := s.Command(ns, "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("in %s: ip %q: %v\n%s", ns, commands, err, out)
	}
}

// dial opens a connection from an address of the client.
func (s *site) dial(ctx context.Context, from netip.Addr, network, address string) (conn net.Conn, err error) {
	err = s.In("client", func() (err error) {
		d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
		if network == "udp" {
			d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// patience is how long a visitor waits for a page.
const patience = 5 * time.Second

// get fetches a page as a visitor from an address. Any status but 200 is an
// error.
func (s *site) get(from netip.Addr, url string) (text string, err error) {
	return s.getWithin(patience, from, url)
}

// getWithin is get for a visitor with a patience of its own.
func (s *site) getWithin(patience time.Duration, from netip.Addr, url string) (text string, err error) {
	c := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return s.dial(ctx, from, "tcp", address)
		},
	}}
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return string(body), err
}

// install puts the program where a user's PATH finds it.
func install(t testing.TB) {
	t.Helper()
	const file = "/usr/sbin/ldirectord"
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(lab.Program(t, program), file); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/etc/ha.d", 0o755); err != nil {
		t.Fatal(err)
	}
}

// howto is the how-to's file with edits: what is there and what is to be there
// instead, in turn.
func howto(t testing.TB, edits ...string) string {
	t.Helper()
	file, err := os.ReadFile("../../testdata/acceptance/howto.cf")
	if err != nil {
		t.Fatal(err)
	}
	text := string(file)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("there is no %q in the how-to's file", edits[i])
		}
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	return text
}
