package checker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// talkTimeout ends every conversation of a test, so that a mistake in a
// Dialogue is a failure and not a hang.
const talkTimeout = 10 * time.Second

// errClosed is the verdict on a Dialogue that was not Done when the peer was.
var errClosed = errors.New("closed the connection")

// talk runs tk over real loopback sockets and returns the verdict. server runs once
// for each connection, which is closed when it returns; for udp it runs once, with
// a connection that answers the last sender. The address in tk's Target does not
// matter: all connections, also those of a Follow, go to server. For TLS server
// uses tls.Server(conn, config).
func talk(t *testing.T, tk Talker, server func(net.Conn)) (detail string, err error) {
	t.Helper()
	var dial func(Target) (net.Conn, error)
	switch network := tk.Target().Network; network {
	case "tcp":
		addr := serveTCP(t, server)
		dial = func(Target) (net.Conn, error) { return net.DialTimeout("tcp", addr, talkTimeout) }
	case "udp":
		addr := serveUDP(t, server)
		dial = func(Target) (net.Conn, error) { return net.DialTimeout("udp", addr, talkTimeout) }
	default:
		t.Fatalf("%v: Target.Network = %q, want tcp or udp", tk, network)
	}
	return talkOver(t, tk, dial)
}

// talkOver is talk over connections that dial makes.
func talkOver(t *testing.T, tk Talker, dial func(Target) (net.Conn, error)) (detail string, err error) {
	t.Helper()
	deadline := time.Now().Add(talkTimeout)
	for range 20 {
		conn, err := dial(tk.Target())
		if err != nil {
			return "", err
		}
		conn.SetDeadline(deadline)
		step, err := converse(conn, tk)
		conn.Close()
		if err != nil {
			return "", err
		}
		if step.Follow == nil {
			return step.Detail, step.Err
		}
		tk = step.Follow
	}
	t.Fatalf("%v: follows without end", tk)
	return "", nil
}

// converse runs tk's Dialogue over conn until it is Done or follows a redirect. The
// error comes from the runner of Dialogues, not from the Dialogue itself.
func converse(conn net.Conn, tk Talker) (Step, error) {
	target := tk.Target()
	if target.TLS != nil {
		conn = tls.Client(conn, target.TLS)
		if err := conn.(*tls.Conn).Handshake(); err != nil {
			return Step{}, err
		}
	}
	d := tk.Dialogue()
	if d == nil {
		return Step{Done: true}, nil
	}
	var in []byte
	buf := make([]byte, 64<<10)
	eof := false
	for {
		step := d.Next(in, eof)
		if step.Consumed < 0 || step.Consumed > len(in) {
			return step, fmt.Errorf("consumed %d of %d bytes", step.Consumed, len(in))
		}
		in = append([]byte(nil), in[step.Consumed:]...) // a new one: Next must not keep the old
		if len(step.Send) > 0 {
			if _, err := conn.Write(step.Send); err != nil && !step.Done {
				return step, err
			}
		}
		if step.Done || step.Follow != nil {
			return step, nil
		}
		if step.CloseWrite {
			// If the peer has reset the connection, the next read reports it.
			_ = conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		if step.StartTLS != nil {
			if len(in) > 0 {
				return step, fmt.Errorf("starts TLS with %d bytes unread", len(in))
			}
			secure := tls.Client(conn, step.StartTLS)
			if err := secure.Handshake(); err != nil {
				return step, err
			}
			conn = secure
			continue
		}
		if eof {
			return step, errClosed
		}
		if target.Network == "udp" {
			in = nil // the rest of a datagram is lost
		}
		n, err := conn.Read(buf)
		in = append(in, buf[:n]...)
		if err == io.EOF {
			eof = true
		} else if err != nil {
			return step, err
		}
	}
}

// serveTCP accepts connections on a loopback port until the test ends and runs
// server on each.
func serveTCP(t *testing.T, server func(net.Conn)) (addr string) {
	t.Helper()
	return lab.ServeAt(t, "127.0.0.1:0", func(conn net.Conn) {
		conn.SetDeadline(time.Now().Add(talkTimeout))
		server(conn)
		// Closing with something unread would be a reset that can
		// overtake the answer.
		if conn.(*net.TCPConn).CloseWrite() == nil {
			io.Copy(io.Discard, conn)
		}
	}).String()
}

// serveUDP runs server once on a loopback port.
func serveUDP(t *testing.T, server func(net.Conn)) (addr string) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { server(&answerer{UDPConn: conn}) })
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return conn.LocalAddr().String()
}

// An answerer is a udp socket whose Write answers the last Read.
type answerer struct {
	*net.UDPConn
	peer *net.UDPAddr
}

func (a *answerer) Read(b []byte) (n int, err error) {
	n, a.peer, err = a.ReadFromUDP(b)
	return n, err
}

func (a *answerer) Write(b []byte) (int, error) { return a.WriteToUDP(b, a.peer) }

// answerLines is a server for talk: it sends the greeting (if it is not empty)
// and then, for each line received, the next of answers. It returns when they
// are used up.
func answerLines(greeting string, answers ...string) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, greeting)
		for _, answer := range answers {
			if _, err := readLine(conn); err != nil {
				return
			}
			io.WriteString(conn, answer)
		}
	}
}

// answerDatagram is a server for talk that answers one datagram.
func answerDatagram(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 64<<10)); err == nil {
			io.WriteString(conn, answer)
		}
	}
}

// errText is err's text, "" for nil.
func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// readLine reads up to a newline, byte by byte so that nothing behind it is
// taken, and returns the line without its end.
func readLine(r io.Reader) (string, error) {
	var line strings.Builder
	b := make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, b); err != nil {
			return line.String(), err
		}
		if b[0] == '\n' {
			return strings.TrimSuffix(line.String(), "\r"), nil
		}
		line.Write(b)
	}
}

// splitEverywhere feeds a Dialogue with the server's turns, each after the answer
// to the previous one, and then with the end. It does so with whole turns, with
// each turn cut in two at every byte, and with every byte alone; the verdict and
// the bytes sent must be equal each time. It returns those of the whole turns for
// the test to judge.
func splitEverywhere(t *testing.T, dialogue func() Dialogue, turns ...string) (verdict Step, sent string) {
	t.Helper()
	verdict, sent = feed(t, dialogue(), pieces(turns, func(turn string, _ int) []string { return []string{turn} }))
	try := func(how string, cut func(turn string, i int) []string) {
		t.Helper()
		v, s := feed(t, dialogue(), pieces(turns, cut))
		if diff := cmp.Diff(outcome(verdict, sent), outcome(v, s)); diff != "" {
			t.Errorf("%s, the verdict differs (-whole turns +cut):\n%s", how, diff)
		}
	}
	try("byte by byte", func(turn string, _ int) []string { return strings.Split(turn, "") })
	for i, turn := range turns {
		for at := range len(turn) {
			try(fmt.Sprintf("turn %d cut at byte %d", i, at), func(turn string, j int) []string {
				if j != i {
					return []string{turn}
				}
				return []string{turn[:at], turn[at:]}
			})
		}
	}
	return verdict, sent
}

func pieces(turns []string, cut func(turn string, i int) []string) []string {
	var all []string
	for i, turn := range turns {
		all = append(all, cut(turn, i)...)
	}
	return all
}

// feed hands pieces to d one by one and then the end, until d is Done or
// follows. A Dialogue that wants more after the end gets errClosed.
func feed(t *testing.T, d Dialogue, pieces []string) (verdict Step, sent string) {
	t.Helper()
	var in []byte
	var out strings.Builder
	next := func(eof bool) (over bool) {
		verdict = d.Next(in, eof)
		if verdict.Consumed < 0 || verdict.Consumed > len(in) {
			t.Fatalf("consumed %d of %d bytes", verdict.Consumed, len(in))
		}
		in = append([]byte(nil), in[verdict.Consumed:]...)
		out.Write(verdict.Send)
		if verdict.CloseWrite {
			out.WriteString("<no more>")
		}
		if verdict.StartTLS != nil {
			out.WriteString("<TLS>")
			in = nil
		}
		return verdict.Done || verdict.Follow != nil
	}
	// Start, and again after each TLS handshake, nothing has been received.
	begin := func() bool {
		over := next(false)
		for !over && verdict.StartTLS != nil {
			over = next(false)
		}
		return over
	}
	if begin() {
		return verdict, out.String()
	}
	for _, piece := range pieces {
		in = append(in, piece...)
		if next(false) || verdict.StartTLS != nil && begin() {
			return verdict, out.String()
		}
	}
	if !next(true) {
		verdict = Step{Done: true, Err: errClosed}
	}
	return verdict, out.String()
}

// outcome is what must not depend on how the bytes arrived.
func outcome(verdict Step, sent string) map[string]string {
	o := map[string]string{"sent": sent, "detail": verdict.Detail, "err": "", "follow": ""}
	if verdict.Err != nil {
		o["err"] = verdict.Err.Error()
	}
	if verdict.Follow != nil {
		o["follow"] = verdict.Follow.String()
	}
	return o
}
