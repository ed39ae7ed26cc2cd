package checker_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/ping"
)

// A wireRow is so many checks of each kind over a wire on which a packet takes
// delay each way.
type wireRow struct {
	delay time.Duration
	each  int // of the kinds whose server speaks first
	rest  int // of the others
}

// speaksFirst reports whether the server of a kind of check begins: then its
// greeting can come together with the connection.
func speaksFirst(kind string) bool {
	service, _, _ := strings.Cut(kind, ",")
	switch service {
	case "simpletcp":
		return kind != "simpletcp"
	case "smtp", "submission", "pop", "imap", "nntp", "agent", "mysql", "ftp":
		return true
	}
	return false
}

// TestOverAWire checks every service over a wire, whose real servers all work: each
// is up each time. On loopback a connection is complete before the engine looks, so
// that many an order of events never occurs there.
func TestOverAWire(t *testing.T) {
	switch {
	case !lab.Apart(t):
	case testing.Short():
		checkOverWires(t, wireRow{100 * time.Microsecond, 30, 3})
	default:
		checkOverWires(t, wireRow{0, 40, 5}, wireRow{100 * time.Microsecond, 60, 5}, wireRow{2 * time.Millisecond, 30, 5}, wireRow{50 * time.Millisecond, 5, 2})
	}
}

// checkOverWires checks over one wire after the other.
func checkOverWires(t *testing.T, rows ...wireRow) {
	for _, row := range rows {
		t.Run(row.delay.String(), func(t *testing.T) {
			p := newWirePeers(t, lab.NewWire(t, row.delay))
			checks := p.checks()
			began := time.Now()
			made, failed := p.run(checks, row)
			for name, errs := range failed {
				t.Errorf("%s: %d checks failed, first with: %v", name, len(errs), errs[0])
			}
			t.Logf("%d checks of %d kinds in %v, %d kinds failed", made, len(checks), time.Since(began).Round(time.Millisecond), len(failed))
		})
	}
}

// A wirePeers is real servers of all services at the far end of a wire.
type wirePeers struct {
	t    *testing.T
	wire *lab.Wire

	server *httptest.Server // whose certificate all have
	client *tls.Config      // that trusts it
	pinger ping.Pinger
}

func newWirePeers(t *testing.T, w *lab.Wire) *wirePeers {
	p := &wirePeers{t: t, wire: w}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "OK") })
	p.server = httptest.NewUnstartedServer(page)
	p.server.Listener.Close()
	p.server.Listener = p.listen()
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = nil
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	t.Cleanup(func() { p.pinger.Close() })
	roots := x509.NewCertPool()
	roots.AddCert(p.server.Certificate())
	p.client = &tls.Config{RootCAs: roots, ServerName: "example.com"}
	return p
}

func (p *wirePeers) listen() net.Listener {
	l, err := p.wire.Listen()
	if err != nil {
		p.t.Fatal(err)
	}
	return l
}

// serve runs server on each connection to a port of its own.
func (p *wirePeers) serve(server func(net.Conn)) netip.AddrPort {
	return lab.Serve(p.t, p.listen(), func(conn net.Conn) {
		conn.SetDeadline(time.Now().Add(time.Minute))
		server(conn)
		io.Copy(io.Discard, conn) // closing with something unread would be a reset
	})
}

// answer has a port of its own answer each datagram.
func (p *wirePeers) answer(answer func(datagram []byte) []byte) netip.AddrPort {
	conn, err := p.wire.ListenUDP()
	if err != nil {
		p.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for in := make([]byte, 4096); ; {
			n, peer, err := conn.ReadFromUDPAddrPort(in)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(answer(in[:n]), peer)
		}
	})
	p.t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// serveHTTP serves HTTP/1.1, and HTTP/2 without TLS.
func (p *wirePeers) serveHTTP(h http.Handler) netip.AddrPort {
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	l := p.listen()
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(l) })
	p.t.Cleanup(func() {
		s.Close()
		wg.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// overTLS is server behind TLS.
func (p *wirePeers) overTLS(server func(net.Conn)) func(net.Conn) {
	config := &tls.Config{Certificates: p.server.TLS.Certificates}
	return func(conn net.Conn) {
		secure := tls.Server(conn, config)
		server(secure)
		secure.CloseWrite()
	}
}

// lines is a server that sends a greeting and answers each line that begins with a
// key of answers, tagged lines with their tag. After the answer startTLS it
// continues over TLS.
func (p *wirePeers) lines(greeting string, answers map[string]string) func(net.Conn) {
	var talk func(conn net.Conn)
	talk = func(conn net.Conn) {
		for in := bufio.NewReader(conn); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			words := append(strings.Fields(strings.ToUpper(line)), "", "")
			answer, ok := answers[words[0]]
			if tagged, is := answers["TAG "+words[1]]; !ok && is {
				answer = strings.ToLower(words[0]) + " " + tagged
			}
			text, secure := strings.CutSuffix(answer, "TLS")
			io.WriteString(conn, text)
			if secure {
				p.overTLS(talk)(conn)
				return
			}
		}
	}
	return func(conn net.Conn) {
		io.WriteString(conn, greeting)
		talk(conn)
	}
}

// checks is a check of every service in each of its ways. Oracle is left out,
// whose server does not come with Debian and is too much for a test's; external
// commands have their own network.
func (p *wirePeers) checks() map[string]checker.Checker {
	checks := map[string]checker.Checker{}
	p.addMail(checks)
	p.addHTTP(checks)
	p.addDatagrams(checks)
	ok := receive(p.t, "OK")
	silent := p.serve(func(net.Conn) {})
	sip := checker.AnswerLines("", "SIP/2.0 200 OK\r\n\r\n")
	maps.Copy(checks, map[string]checker.Checker{
		"connect":                    checker.Connect{Addr: silent},
		"tls":                        checker.TLS{Addr: netip.MustParseAddrPort(p.server.Listener.Addr().String()), Config: p.client},
		"nntp":                       checker.NNTP{Addr: p.serve(p.lines("200 ready\r\n", nil))},
		"agent":                      checker.Agent{Addr: p.serve(p.lines("up 50%\n", nil))},
		"agent, closes at once":      checker.Agent{Addr: p.serve(func(conn net.Conn) { io.WriteString(conn, "ready\n"); conn.(*net.TCPConn).CloseWrite() })},
		"simpletcp":                  checker.SimpleTCP{Addr: p.serve(p.lines("", map[string]string{"HELLO": "OK\n"})), Request: `hello\n`, Receive: ok},
		"simpletcp, no request":      checker.SimpleTCP{Addr: p.serve(p.lines("OK\n", nil)), Receive: ok},
		"redis":                      checker.Redis{Addr: p.serve(p.lines("", map[string]string{"PING": "+PONG\r\n"}))},
		"redis, password":            checker.Redis{Addr: p.serve(p.lines("", map[string]string{"AUTH": "+OK\r\n", "PING": "+PONG\r\n"})), Passwd: "good"},
		"memcached":                  checker.Memcached{Addr: p.serve(p.lines("", map[string]string{"VERSION": "VERSION 1.6\r\n"}))},
		"dns, tcp":                   checker.DNS{Network: "tcp", Addr: p.serve(answerDNSOverTCP), Request: "www.example.com", Receive: receive(p.t, "10.0.9.1")},
		"sip, tcp":                   checker.SIP{Network: "tcp", Addr: p.serve(sip), Login: "probe@example.com"},
		"ldap":                       checker.LDAP{Addr: p.serve(checker.LDAPServer("dc=x")), Request: "/dc=x", Login: "cn=m", Passwd: "good"},
		"mysql":                      checker.MySQL{Addr: p.serve(checker.MySQLServer(1)), Login: "u", Request: "/select 1"},
		"pgsql":                      checker.PgSQL{Addr: p.serve(checker.PgServer(1)), Login: "u", Passwd: "good", Request: "/select 1"},
		"ftp":                        checker.FTP{Addr: p.serve(checker.FTPServer(map[string]string{"/file": "OK"}, p.wire.Listen)), Request: "/file", Receive: ok},
		"ping":                       checker.Ping{Addr: lab.WireAddr(0), Pinger: &p.pinger},
		"imap":                       checker.IMAP{Addr: p.serve(p.lines("* OK ready\r\n", imapAnswers)), Login: "m", Passwd: "good"},
		"simpletcp, slow to judge":   slow{checker.SimpleTCP{Addr: p.serve(p.lines("OK\n", nil)), Receive: ok}},
		"simpletcp, closes at once":  checker.SimpleTCP{Addr: p.serve(func(conn net.Conn) { io.WriteString(conn, "OK\n"); conn.(*net.TCPConn).CloseWrite() }), Receive: ok},
		"simpletcp, half and a half": checker.SimpleTCP{Addr: p.serve(func(conn net.Conn) { io.WriteString(conn, "O"); io.WriteString(conn, "K\n") }), Receive: ok},
	})
	return checks
}

// slow is a check whose answers are judged apart from the loop.
type slow struct{ checker.SimpleTCP }

// Target implements checker.Talker.
func (s slow) Target() checker.Target {
	target := s.SimpleTCP.Target()
	target.Slow = true
	return target
}

var imapAnswers = map[string]string{"TAG LOGIN": "OK in\r\n", "TAG STARTTLS": "OK go ahead\r\nTLS"}

// addMail adds the checks of mail servers, whose servers speak first.
func (p *wirePeers) addMail(checks map[string]checker.Checker) {
	mail := p.serve(p.lines("220 mx.example.com ESMTP\r\n", map[string]string{
		"EHLO": "250-mx.example.com\r\n250 STARTTLS\r\n", "STARTTLS": "220 go ahead\r\nTLS", "QUIT": "221 bye\r\n",
	}))
	popAnswers := map[string]string{
		"CAPA": "+OK\r\nUSER\r\n.\r\n", "USER": "+OK\r\n", "PASS": "+OK\r\n", "STAT": "+OK 0 0\r\n", "STLS": "+OK\r\nTLS",
	}
	pop, imap := p.lines("+OK ready\r\n", popAnswers), p.lines("* OK ready\r\n", imapAnswers)
	maps.Copy(checks, map[string]checker.Checker{
		"smtp":                 checker.SMTP{Service: "smtp", Addr: mail},
		"smtp, STARTTLS":       checker.SMTP{Service: "smtp", Addr: mail, StartTLS: p.client},
		"submission":           checker.SMTP{Service: "submission", Addr: mail},
		"submission, STARTTLS": checker.SMTP{Service: "submission", Addr: mail, StartTLS: p.client},
		"pop":                  checker.POP{Addr: p.serve(pop), Login: "m", Passwd: "good"},
		"pop, STARTTLS":        checker.POP{Addr: p.serve(pop), Login: "m", Passwd: "good", StartTLS: p.client},
		"pops":                 checker.POP{Addr: p.serve(p.overTLS(pop)), Login: "m", Passwd: "good", TLS: p.client},
		"imap, STARTTLS":       checker.IMAP{Addr: p.serve(imap), Login: "m", Passwd: "good", StartTLS: p.client},
		"imaps":                checker.IMAP{Addr: p.serve(p.overTLS(imap)), Login: "m", Passwd: "good", TLS: p.client},
	})
}

// addHTTP adds the checks of web servers.
func (p *wirePeers) addHTTP(checks map[string]checker.Checker) {
	ok := receive(p.t, "OK")
	plain := p.serveHTTP(p.server.Config.Handler)
	secure := netip.MustParseAddrPort(p.server.Listener.Addr().String())
	elsewhere := p.serveHTTP(http.RedirectHandler(fmt.Sprintf("http://%s/", plain), http.StatusFound))
	add := func(name string, addr netip.AddrPort, o checker.HTTPOptions) {
		o.Receive = ok
		checks[name] = newHTTP(p.t, o, addr, p.client)
	}
	add("http", plain, checker.HTTPOptions{Service: "http", Request: "/"})
	add("http, HTTP/1.0", plain, checker.HTTPOptions{Service: "http", Request: "/", Version: "1.0"})
	add("http, HTTP/2", plain, checker.HTTPOptions{Service: "http", Request: "/", Version: "2"})
	add("http, redirected", elsewhere, checker.HTTPOptions{Service: "http", Request: "/"})
	add("https", secure, checker.HTTPOptions{Service: "https", Request: "/"})
	add("https, HTTP/2", secure, checker.HTTPOptions{Service: "https", Request: "/", Version: "2"})
	add("http_proxy", plain, checker.HTTPOptions{Service: "http_proxy", Request: "http://www.example.com/"})
	checks["grpc"] = checker.GRPC{Addr: p.serveHTTP(checker.HealthServer())}
}

// addDatagrams adds the checks by datagrams.
func (p *wirePeers) addDatagrams(checks map[string]checker.Checker) {
	radius := p.answer(func(datagram []byte) []byte {
		conn := &packetConn{in: bytes.NewReader(datagram)}
		checker.RadiusServer(p.t, "secret")(conn)
		return conn.out.Bytes()
	})
	maps.Copy(checks, map[string]checker.Checker{
		"dns":       checker.DNS{Network: "udp", Addr: p.answer(answerDNS), Request: "www.example.com", Receive: receive(p.t, "10.0.9.1")},
		"sip":       checker.SIP{Network: "udp", Addr: p.answer(func([]byte) []byte { return []byte("SIP/2.0 200 OK\r\n\r\n") }), Login: "probe@example.com"},
		"radius":    checker.Radius{Addr: radius, Login: "user", Passwd: "pw", Secret: "secret"},
		"simpleudp": checker.SimpleUDP{Addr: p.answer(func([]byte) []byte { return []byte("OK") }), Request: "hello", Receive: receive(p.t, "OK")},
	})
}

// A packetConn is one datagram and the answer to it.
type packetConn struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

// Read implements net.Conn.
func (c *packetConn) Read(b []byte) (int, error) { return c.in.Read(b) }

// Write implements net.Conn.
func (c *packetConn) Write(b []byte) (int, error) { return c.out.Write(b) }

// answerDNS answers a question of one name with one address.
func answerDNS(query []byte) []byte {
	end := 12 + bytes.IndexByte(query[12:], 0) + 5
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0}, query[12:end]...)
	return append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 9, 1)
}

func answerDNSOverTCP(conn net.Conn) {
	in := make([]byte, 512)
	if n, err := io.ReadAtLeast(conn, in, 17); err == nil {
		answer := answerDNS(in[2:n])
		conn.Write(append([]byte{0, byte(len(answer))}, answer...))
	}
}

// wireTimeout is that of the checks over a wire. A check whose wake-up is lost
// waits all of it; no other does, however busy the machine is.
const wireTimeout = 40 * time.Second

// run makes the checks of a row, at most a few hundred at once. It returns how
// many there were, and the errors of those that failed.
func (p *wirePeers) run(checks map[string]checker.Checker, row wireRow) (made int, failed map[string][]error) {
	e := engine.New(engine.Options{})
	defer e.Close()
	var mu sync.Mutex
	failed = map[string][]error{}
	places := make(chan struct{}, 200)
	batch := e.Batch()
	var wg sync.WaitGroup
	for round := range max(row.each, row.rest) {
		var names []string
		for name := range checks {
			if round < row.rest || speaksFirst(name) && round < row.each {
				names = append(names, name)
			}
		}
		for range names {
			places <- struct{}{}
		}
		made += len(names)
		for _, name := range names {
			wg.Add(1)
			batch.Start(p.t.Context(), checks[name], wireTimeout, 1, func(r engine.Result) {
				if r.Err != nil {
					mu.Lock()
					failed[name] = append(failed[name], r.Err)
					mu.Unlock()
				}
				<-places
				wg.Done()
			})
		}
		batch.Leave()
	}
	wg.Wait()
	return made, failed
}
