package engine

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A badPeer is a server that does not do what its service is there for.
type badPeer struct {
	name  string
	serve func(net.Conn) // until the client has gone
	fits  []string       // the checks that may have nothing to object
}

// badPeers are servers by tcp. secure is a TLS server's configuration.
func badPeers(secure *tls.Config) []badPeer {
	overTLS := func(serve func(net.Conn)) func(net.Conn) { return overTLS(secure, serve) }
	handshake := []string{"tls"}
	greeting := []string{"nntp"} // for which a 2 is enough
	return []badPeer{
		{name: "silent", serve: silent},
		{name: "closes at once", serve: func(net.Conn) {}},
		{name: "resets at once", serve: reset},
		{name: "resets after the request", serve: func(conn net.Conn) { hear(conn); reset(conn) }},
		{name: "one byte after the other", serve: dribbling(strings.Repeat("2", 1000), 20*ms), fits: greeting},
		{name: "a banner, one byte after the other", serve: dribbling("220 "+strings.Repeat("x", 1000), 20*ms), fits: greeting},
		{name: "a banner without end", serve: endless("220-what?\r\n"), fits: greeting},
		{name: "a line without end", serve: endless("2"), fits: greeting},
		{name: "zeros without end", serve: endless("\x00")},
		{name: "a page without end", serve: endless("HTTP/1.1 200 OK\r\n\r\n", "x"), fits: []string{"http, HEAD"}},
		{name: "fields without end", serve: endless("HTTP/1.1 200 OK\r\n", "X: y\r\n")},
		{name: "LDAP without end", serve: endless("\x30\x80")},
		{name: "10 MiB", serve: says(strings.Repeat("0123456789abcdef", 10<<20/16))},
		{name: "closes in the middle of an answer", serve: func(conn net.Conn) { hear(conn); io.WriteString(conn, "HTTP/1.1 200 O") }},
		{name: "closes in the middle of a greeting", serve: func(conn net.Conn) { io.WriteString(conn, "220 mail.exa") }, fits: greeting},
		{name: "speaks HTTP", serve: says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")},
		{name: "speaks SSH", serve: says("SSH-2.0-OpenSSH_9.2\r\n")},
		{name: "speaks LDAP", serve: says("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00")},
		{name: "announces 2 GiB", serve: says("\x30\x84\x7f\xff\xff\xff\x02\x01\x01")},
		{name: "speaks in TLS's alerts", serve: says("\x15\x03\x01\x00\x02\x02\x0a")},
		{name: "speaks TLS and is silent", serve: overTLS(silent), fits: handshake},
		{name: "speaks TLS and closes", serve: overTLS(func(net.Conn) {}), fits: handshake},
		{name: "speaks TLS, then nonsense", serve: overTLS(says("what?\r\n")), fits: handshake},
		{name: "speaks TLS, then without end", serve: overTLS(endless("2")), fits: handshake},
		{name: "not UTF-8", serve: says("500 \xff\xfe\x00\x1b[31m\r\n")},
		{name: "not UTF-8 in a page", serve: says("HTTP/1.1 500 \xff\xfe\x1b[31m\r\n\r\n\xff\xfe\r\n")},
	}
}

// hear waits for a request, but not long: some clients wait for a greeting.
func hear(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(20 * ms))
	conn.Read(make([]byte, 1024))
	conn.SetReadDeadline(time.Time{})
}

func reset(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) }

// says is a server with one answer to every request.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		hear(conn)
		go io.Copy(io.Discard, conn) // ends with conn
		io.WriteString(conn, text)
		io.Copy(io.Discard, conn)
	}
}

// endless is a server that repeats the last of its texts without end.
func endless(texts ...string) func(net.Conn) {
	again := []byte(strings.Repeat(texts[len(texts)-1], 4<<10/len(texts[len(texts)-1])))
	return func(conn net.Conn) {
		_, err := io.WriteString(conn, strings.Join(texts[:len(texts)-1], ""))
		for err == nil {
			_, err = conn.Write(again)
		}
	}
}

// badDatagrams are what servers by udp answer, each of them to each datagram.
var badDatagrams = map[string][]string{
	"silent":             nil,
	"an empty datagram":  {""},
	"one byte":           {"\x00"},
	"zeros":              {strings.Repeat("\x00", 100)},
	"ones":               {strings.Repeat("\xff", 100)},
	"speaks HTTP":        {"HTTP/1.1 400 Bad Request\r\n\r\n"},
	"SIP without an end": {"SIP/2.0 100 Trying\r\n", "SIP/2.0 100 Trying\r\n"},
	"the longest":        {strings.Repeat("x", 65507)},
	"a great many":       slices.Repeat([]string{"what?"}, 1000),
	"not UTF-8":          {"SIP/2.0 500 \xff\xfe\x1b[31m\r\n\r\n"},
}

// answersEach is a server that sends answers to each datagram.
func answersEach(answers []string) func(*net.UDPConn) {
	return func(conn *net.UDPConn) {
		in := make([]byte, 64<<10)
		for {
			_, peer, err := conn.ReadFromUDPAddrPort(in)
			if err != nil {
				return
			}
			for _, answer := range answers {
				conn.WriteToUDPAddrPort([]byte(answer), peer)
			}
		}
	}
}

// A badCase is one check of one bad peer.
type badCase struct {
	peer, name string
	check      checker.Checker
	fits       bool // it may be up
}

// badCases is every check of every bad peer that speaks its network, of nobody
// and of a black hole.
func badCases(t *testing.T) []badCase {
	t.Helper()
	secure, config := newTLS(t)
	var cases []badCase
	add := func(peer string, checks map[string]checker.Checker, fits ...string) {
		for name, check := range checks {
			cases = append(cases, badCase{peer, name, check, slices.Contains(fits, name)})
		}
	}
	for _, p := range badPeers(secure) {
		add(p.name, streamChecks(t, serve(t, p.serve), config), p.fits...)
	}
	add("nobody", streamChecks(t, lab.HoldPort(t), config))
	add("nobody", datagramChecks(t, lab.HoldUDPPort(t)))
	add("a black hole", streamChecks(t, blackHole(t), config))
	for name, answers := range badDatagrams {
		add(name, datagramChecks(t, serveUDP(t, answersEach(answers))))
	}
	return cases
}

// ask makes the check and returns how long after its deadline the result came.
func (c badCase) ask(t *testing.T, e *Engine, timeout time.Duration) (late time.Duration) {
	r := e.Ask(t.Context(), c.check, timeout, 1)
	name := c.name + " asks: " + c.peer
	if r.Err == nil && !c.fits {
		t.Errorf("%s: up", name)
	}
	if r.Local {
		t.Errorf("%s: our own fault: %v", name, r.Err)
	}
	text := errText(r.Err)
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\ufffd' }) || len(text) > 400 {
		t.Errorf("%s: not one clean line: %q", name, text)
	}
	if text := fmt.Sprint(c.check) + text + r.Detail; strings.Contains(text, passwd) {
		t.Errorf("%s: has the password: %q", name, text)
	}
	return r.Took - timeout
}

// TestServicesOfBadPeers makes every check of every bad peer: it is down by its deadline,
// with one line without secrets.
func TestServicesOfBadPeers(t *testing.T) {
	t.Parallel()
	timeout := 2 * time.Second
	if testing.Short() {
		timeout /= 4 // most of the test waits for it
	}
	// So few that a slow machine, whose processor the peers want too, keeps up.
	askAll(t, badCases(t), timeout, 64)
}

// TestServicesOfManyBadPeers has two thousand wait at once for peers that let
// them.
func TestServicesOfManyBadPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: left out, waits")
	}
	cases := slices.DeleteFunc(badCases(t), func(c badCase) bool {
		return c.peer != "silent" && c.peer != "a black hole" && c.peer != "one byte after the other"
	})
	askAll(t, slices.Repeat(cases, 2000/len(cases)+1)[:2000], 4*time.Second, 2000)
}

// askAll makes all checks, a number of them at a time. It compares the lateness with the
// bound and looks for descriptors and goroutines left behind.
func askAll(t *testing.T, cases []badCase, timeout time.Duration, beside int) {
	t.Helper()
	e := newEngine(t, Options{MaxCallers: 1000})
	descriptors, goroutines := openDescriptors(t), runtime.NumGoroutine()
	lates := make([]time.Duration, len(cases))
	var wg sync.WaitGroup
	pace := time.NewTicker(10 * ms) // five hundred a second; all at one instant would be a test of the CPU
	defer pace.Stop()
	places := make(chan struct{}, beside)
	for i, c := range cases {
		places <- struct{}{}
		wg.Go(func() {
			lates[i] = c.ask(t, e, timeout)
			<-places
		})
		if i%5 == 0 {
			<-pace.C
		}
	}
	load := e.Load()
	wg.Wait()
	slices.Sort(lates)
	worst := lates[len(lates)-1]
	t.Logf("%d checks with a deadline of %v, %d at once: the last came %v after it, 99 of 100 by %v",
		len(cases), timeout, load.Talks+load.Calls, worst, lates[len(lates)*99/100])
	if worst > eventually.Limit {
		t.Errorf("a check came %v after its deadline", worst)
	}
	if diff := cmp.Diff(Load{}, e.Load()); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	e.Close()
	// The peers' own ends close a little later, and regexp2's clock lives on.
	if !eventually.Holds(func() bool { return openDescriptors(t) <= descriptors && runtime.NumGoroutine() <= goroutines+1 }) {
		t.Errorf("%d descriptors and %d goroutines are left, %d and %d were before",
			openDescriptors(t), runtime.NumGoroutine(), descriptors, goroutines)
	}
}
