package checker_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// resetting sends answer line by line on each connection, as a script under inetd
// does that reads nothing: its close resets the connection. pause is how long it
// waits after each line. config is nil for no TLS.
func resetting(t *testing.T, answer string, pause time.Duration, config *tls.Config) netip.AddrPort {
	t.Helper()
	return lab.ServeAt(t, "127.0.0.1:0", func(conn net.Conn) {
		var to io.Writer = conn
		if config != nil {
			to = tls.Server(conn, config)
		}
		lines := []string{answer}
		if pause > 0 {
			lines = strings.SplitAfter(answer, "\n")
		}
		for _, line := range lines {
			io.WriteString(to, line)
			<-time.After(pause)
		}
		conn.(*net.TCPConn).SetLinger(0)
	})
}

// TestResetAfterTheAnswer has servers that reset the connection behind their
// answer: the answer decides.
func TestResetAfterTheAnswer(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	secure := &tls.Config{Certificates: server.TLS.Certificates}
	client := &tls.Config{InsecureSkipVerify: true}
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
	web := func(o checker.HTTPOptions, overTLS bool) func(netip.AddrPort) checker.Checker {
		return func(addr netip.AddrPort) checker.Checker {
			o := o
			o.Service, o.Request = "http", "/"
			if overTLS {
				o.Service = "https"
			}
			return newHTTP(t, o, addr, client)
		}
	}
	wants := receive(t, "db is up")
	simple := func(addr netip.AddrPort) checker.Checker {
		return checker.SimpleTCP{Addr: addr, Request: "hi", Receive: receive(t, "OK")}
	}
	nntp := func(addr netip.AddrPort) checker.Checker { return checker.NNTP{Addr: addr} }
	sip := func(addr netip.AddrPort) checker.Checker {
		return checker.SIP{Network: "tcp", Addr: addr, Login: "m@example.com"}
	}
	tests := []struct {
		name, answer string
		http         bool // checked by http and by https
		check        func(netip.AddrPort) checker.Checker
		want         string // contained in the error, "" is up
	}{
		{name: "up to the end", answer: head + "\r\ndb is up\r\n", http: true},
		{name: "line ends of a script", answer: head + "\r\n\ndb is up\r\n\r\n", http: true},
		{name: "whole by its length", answer: head + "Content-Length: 8\r\n\r\ndb is up", http: true},
		{name: "whole by its chunks", answer: head + "Transfer-Encoding: chunked\r\n\r\n8\r\ndb is up\r\n0\r\n\r\n", http: true},
		{name: "another text", answer: head + "\r\ndb is away\r\n", http: true, want: "not found"},
		{name: "another status", answer: "HTTP/1.1 503 Busy\r\n\r\ndb is up\r\n", http: true, want: "503 Busy"},
		{name: "in the head", answer: head, http: true, want: "connection reset"},
		{name: "in the status line", answer: "HTTP/1.1 20", http: true, want: "connection reset"},
		{name: "before its length", answer: head + "Content-Length: 100\r\n\r\ndb is up", http: true, want: "connection reset"},
		{name: "before the last chunk", answer: head + "Transfer-Encoding: chunked\r\n\r\n8\r\ndb is up\r\n", http: true, want: "connection reset"},
		{name: "before all", http: true, want: "connection reset"},
		{name: "simpletcp, a line without its end", answer: "OK", check: simple},
		{name: "simpletcp, another line", answer: "what?", check: simple, want: "not found"},
		{name: "simpletcp, nothing", check: simple, want: "connection reset"},
		{name: "nntp, half a greeting", answer: "200 rea", check: nntp},
		{name: "sip, a status without its end", answer: "SIP/2.0 480 Gone", check: sip, want: "480 Gone"},
	}
	e := engine.New(engine.Options{})
	t.Cleanup(e.Close)
	pauses := []time.Duration{0, 100 * time.Millisecond, 500 * time.Millisecond}
	if testing.Short() {
		pauses = pauses[:2]
	}
	var wg sync.WaitGroup // and not t.Parallel: all of them wait for their servers at once
	defer wg.Wait()
	for _, tt := range tests {
		checks := map[string]func(netip.AddrPort) checker.Checker{"": tt.check}
		if tt.http {
			checks = map[string]func(netip.AddrPort) checker.Checker{"http": web(checker.HTTPOptions{Receive: wants}, false), "https": web(checker.HTTPOptions{Receive: wants}, true)}
		}
		for scheme, check := range checks {
			config := secure
			if scheme != "https" {
				config = nil
			}
			for _, pause := range pauses {
				wg.Go(func() {
					addr := resetting(t, tt.answer, pause, config)
					got := e.Ask(t.Context(), check(addr), 20*time.Second, 1).Err
					if tt.want == "" && got != nil || tt.want != "" && (got == nil || !strings.Contains(got.Error(), tt.want)) {
						t.Errorf("%s %s, %v after each line: error %v, want %q", tt.name, scheme, pause, got, tt.want)
					}
				})
			}
		}
	}
}
