package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

const (
	ms = time.Millisecond
	// ample is for answers that come, brief for those that do not.
	ample = 2 * eventually.Limit
	brief = 150 * ms
)

// newEngine returns an Engine, which the end of the test closes.
func newEngine(t *testing.T, o Options) *Engine {
	t.Helper()
	e := New(o)
	t.Cleanup(e.Close)
	return e
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A verdict is what must be the same over a plain socket and over TLS.
type verdict struct {
	Detail, Err string
	Local       bool
}

func verdictOf(r Result) verdict { return verdict{r.Detail, errText(r.Err), r.Local} }

var isUp = verdict{Detail: "as it should"}

func down(why string) verdict { return verdict{Err: why} }

func TestTalkOverPlainAndTLS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		ask     ask
		server  func(net.Conn)
		timeout time.Duration
		want    verdict
	}{
		{"answer", ask{question: "hello?\n", answer: "hello!"}, answering("hello!\n"), ample, isUp},
		{"wrong answer", ask{question: "hello?\n", answer: "hello!"}, answering("go away\n"), ample, down("answered go away")},
		{"the server speaks first", ask{silent: true, answer: "220 ready"}, func(conn net.Conn) { io.WriteString(conn, "220 ready\n") }, ample, isUp},
		{"one byte at a time", ask{question: "hello?\n", answer: "hello!"}, dribbling("hello!\n", ms), ample, isUp},
		{"a long answer", ask{question: "?\n", answer: strings.Repeat("x", 1<<20)}, answering(strings.Repeat("x", 1<<20) + "\n"), ample, isUp},
		{"silent", ask{question: "hello?\n", answer: "hello!"}, silent, brief, down("no answer in 150ms")},
		{"never comes to the end", ask{question: "hello?\n"}, func(conn net.Conn) { io.WriteString(conn, "hell"); silent(conn) }, brief, down("no complete answer in 150ms, only 4 bytes")},
		{"closes at once", ask{silent: true}, func(net.Conn) {}, ample, down("closed the connection")},
		{"closes in the middle", ask{silent: true}, func(conn net.Conn) { io.WriteString(conn, "hel") }, ample, down("closed the connection")},
		{"answers to the end of what we send", ask{question: "hello?", noMore: true, answer: "hello?"}, func(conn net.Conn) {
			all, _ := io.ReadAll(conn)
			conn.Write(append(all, '\n'))
		}, ample, isUp},
		{"endless", ask{question: "hello?\n", unlimited: true}, func(conn net.Conn) {
			for chunk := make([]byte, 64<<10); ; {
				if _, err := conn.Write(chunk); err != nil {
					return
				}
			}
		}, ample, down("too long an answer")},
		{"a Dialogue that panics", ask{panics: true}, silent, ample, verdict{Err: "not checked: the check itself failed: what is this?", Local: true}},
	}
	server, client := newTLS(t)
	e := newEngine(t, Options{})
	for _, tt := range tests {
		ask := tt.ask
		ask.target.Network = "tcp"
		t.Run(tt.name+"/plain", func(t *testing.T) {
			ask.target.Addr = serve(t, tt.server)
			if diff := cmp.Diff(tt.want, verdictOf(e.Ask(t.Context(), ask, tt.timeout, 1))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
		t.Run(tt.name+"/slow", func(t *testing.T) {
			ask.target.Addr, ask.target.Slow = serve(t, tt.server), true
			if diff := cmp.Diff(tt.want, verdictOf(e.Ask(t.Context(), ask, tt.timeout, 1))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
		t.Run(tt.name+"/tls", func(t *testing.T) {
			ask.target.Addr, ask.target.TLS = serve(t, overTLS(server, tt.server)), client
			if diff := cmp.Diff(tt.want, verdictOf(e.Ask(t.Context(), ask, tt.timeout, 1))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadPeers(t *testing.T) {
	server, client := newTLS(t)
	reset := func(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) }
	tcp := func(addr netip.AddrPort) checker.Target { return checker.Target{Network: "tcp", Addr: addr} }
	secure := func(addr netip.AddrPort, config *tls.Config) checker.Target {
		return checker.Target{Network: "tcp", Addr: addr, TLS: config}
	}
	tests := []struct {
		name    string
		talker  checker.Talker
		timeout time.Duration
		want    string
	}{
		{"refused", ask{target: tcp(lab.HoldPort(t))}, ample, "connection refused"},
		{"a connect check refused", checker.Connect{Addr: lab.HoldPort(t)}, ample, "connection refused"},
		{"a black hole", checker.Connect{Addr: blackHole(t)}, brief, "no answer in 150ms while connecting"},
		{"reset", ask{target: tcp(serve(t, reset)), silent: true}, ample, "connection reset"},
		{
			"reset under a question that never ends",
			ask{target: tcp(serve(t, reset)), question: strings.Repeat("?", 8<<20)},
			ample, "connection reset",
		},
		{
			"says why and closes without reading",
			ask{target: tcp(serve(t, func(conn net.Conn) {
				io.WriteString(conn, "503 busy\n")
				conn.(*net.TCPConn).CloseWrite()
			})), question: strings.Repeat("?", 8<<20)},
			ample, "answered 503 busy",
		},
		{"TLS to a plain port", ask{target: secure(serve(t, func(conn net.Conn) { io.WriteString(conn, "220 ready\r\n"); silent(conn) }), client)}, ample, "TLS handshake: first record does not look like a TLS handshake"},
		{"TLS to a silent port", ask{target: secure(serve(t, silent), client)}, brief, "no answer in 150ms in the TLS handshake"},
		{"TLS to a port that closes", ask{target: secure(serve(t, func(conn net.Conn) { conn.(*net.TCPConn).CloseWrite(); silent(conn) }), client)}, ample, "closed the connection in the TLS handshake"},
		{"TLS to a port that resets", ask{target: secure(serve(t, func(conn net.Conn) { conn.Read(make([]byte, 1)); reset(conn) }), client)}, ample, "connection reset in the TLS handshake"},
		{
			"a certificate that nobody trusts",
			ask{target: secure(serve(t, overTLS(server, silent)), &tls.Config{ServerName: "real.example"})},
			ample, "TLS handshake: failed to verify certificate: certificate signed by unknown authority",
		},
		{
			"a client certificate is asked for",
			ask{target: secure(serve(t, overTLS(&tls.Config{Certificates: server.Certificates, ClientAuth: tls.RequireAnyClientCert}, silent)), client), silent: true},
			ample, "TLS: remote error: certificate required",
		},
	}
	e := newEngine(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			r := e.Ask(t.Context(), tt.talker, tt.timeout, 1)
			if diff := cmp.Diff(down(tt.want), verdictOf(r)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			eventually.InTime(t, "a check", began, tt.timeout)
		})
	}
}

func TestConnectOnly(t *testing.T) {
	r := newEngine(t, Options{Trace: true}).Ask(t.Context(), checker.Connect{Addr: serve(t, silent)}, ample, 3)
	if r.Last <= 0 || r.Last > r.Took || r.Took > ample {
		t.Errorf("took %v, the last attempt %v, want some time", r.Took, r.Last)
	}
	r.Took, r.Last = 0, 0
	if diff := cmp.Diff(Result{Attempts: 1}, r); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestStartTLS(t *testing.T) {
	server, client := newTLS(t)
	upgrading := func(first string) func(net.Conn) {
		return func(conn net.Conn) {
			readLine(conn)
			io.WriteString(conn, first)
			overTLS(server, answering("hello!\n"))(conn)
		}
	}
	tests := []struct {
		name   string
		server func(net.Conn)
		config *tls.Config
		want   verdict
	}{
		{"as it should", upgrading("go ahead\n"), client, isUp},
		{"more than asked for before the handshake", upgrading("go ahead\nhello!\n"), client, down("sent more than was asked for before the TLS handshake")},
		{"the handshake fails", upgrading("go ahead\n"), &tls.Config{RootCAs: client.RootCAs, ServerName: "other.example"}, down("TLS handshake: failed to verify certificate: certificate is valid for real.example, not other.example")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ask{target: checker.Target{Network: "tcp", Addr: serve(t, tt.server)}, question: "hello?\n", answer: "hello!", startTLS: tt.config}
			if diff := cmp.Diff(tt.want, verdictOf(newEngine(t, Options{}).Ask(t.Context(), a, ample, 1))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// names is a Resolver that knows some names.
type names map[string][]netip.Addr

func (n names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	if host == "slow.example" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if ips, ok := n[host]; ok {
		return ips, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func TestFollow(t *testing.T) {
	_, client := newTLS(t)
	addr := serve(t, answering("hello!\n"))
	here := ask{target: checker.Target{Network: "tcp", Addr: addr}, question: "hello?\n", answer: "hello!"}
	to := func(host string) ask {
		a := here
		a.target.Host = host
		return a
	}
	secure := here
	secure.target.TLS = client
	from := func(a ask) ask {
		first := here
		first.follow = a
		return first
	}
	tests := []struct {
		name    string
		ask     ask
		timeout time.Duration
		want    verdict
	}{
		{"to an address", from(here), ample, isUp},
		{"to a name", from(to("real.example")), ample, isUp},
		{"to nowhere", from(to("nowhere.example")), ample, down("resolving nowhere.example: no such host")},
		{"to a name without addresses", from(to("empty.example")), ample, down("resolving empty.example: no address")},
		{"to a name that takes too long", from(to("slow.example")), brief, down("resolving slow.example: no answer in 150ms")},
		{"nine times", follows(here, 9), ample, isUp},
		{"for ever", follows(here, 100), ample, down("redirected more than 10 times")},
		{"to a port that is not TLS", from(secure), ample, down("TLS handshake: first record does not look like a TLS handshake")},
	}
	e := newEngine(t, Options{Resolver: names{"real.example": {addr.Addr()}, "empty.example": nil}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, verdictOf(e.Ask(t.Context(), tt.ask, tt.timeout, 1))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// follows is a check with n redirects before its question.
func follows(a ask, n int) ask {
	last := a
	for range n {
		next := a
		next.follow = last
		last = next
	}
	return last
}

func TestTranscript(t *testing.T) {
	addr := serve(t, answering(strings.Repeat("x", 1000)+"\n"))
	a := ask{target: checker.Target{Network: "tcp", Addr: addr}, question: "hello?\n", answer: strings.Repeat("x", 1000)}
	type kept struct{ Sent, Received string }
	all := kept{"hello?\n", strings.Repeat("x", 512)}
	wrong := a
	wrong.answer = "y"
	tests := []struct {
		name  string
		trace bool
		ask   ask
		want  kept
	}{
		{"up", false, a, kept{}},
		{"up, traced", true, a, all},
		{"down", false, wrong, all},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newEngine(t, Options{Trace: tt.trace}).Ask(t.Context(), tt.ask, ample, 1)
			if diff := cmp.Diff(tt.want, kept{string(r.Sent), string(r.Received)}); diff != "" {
				t.Errorf("kept of the conversation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTalkIsCanceled(t *testing.T) {
	_, client := newTLS(t)
	tcp := func(addr netip.AddrPort) checker.Target { return checker.Target{Network: "tcp", Addr: addr} }
	tests := []struct {
		name   string
		talker checker.Talker
	}{
		{"while connecting", checker.Connect{Addr: blackHole(t)}},
		{"while waiting for the answer", ask{target: tcp(serve(t, silent)), question: "hello?\n"}},
		{"in the TLS handshake", ask{target: checker.Target{Network: "tcp", Addr: serve(t, silent), TLS: client}}},
		{"while resolving", ask{target: checker.Target{Network: "tcp", Host: "slow.example"}}},
		{"over udp", ask{
			target:   checker.Target{Network: "udp", Addr: serveUDP(t, func(conn *net.UDPConn) { silent(conn) }), Resend: ms},
			question: "hello?\n",
		}},
	}
	e := newEngine(t, Options{Resolver: names{}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
			defer cancel()
			began := time.Now()
			r := e.Ask(ctx, tt.talker, ample, 5)
			if !errors.Is(r.Err, context.DeadlineExceeded) {
				t.Errorf("Err = %v, want the context's", r.Err)
			}
			eventually.InTime(t, "the end after that of the context", began, 50*ms)
			if r.Attempts != 1 {
				t.Errorf("%d attempts, want no second one", r.Attempts)
			}
		})
	}
}
