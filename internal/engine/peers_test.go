package engine

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An ask is a Talker of the tests: it sends a question and is up when the line
// that comes back is the answer.
type ask struct {
	target    checker.Target
	question  string
	answer    string
	goodbye   string      // the expected second answer, after one more question
	noMore    bool        // close the sending side after the question
	startTLS  *tls.Config // after a first line in the clear
	follow    checker.Talker
	silent    bool // wait for the peer to speak first
	unlimited bool // take whatever comes, without end
	panics    bool
}

func (a ask) String() string             { return "ask " + a.target.Addr.String() }
func (a ask) Target() checker.Target     { return a.target }
func (a ask) Dialogue() checker.Dialogue { return &askDialogue{ask: a} }

type askDialogue struct {
	ask
	began bool
}

func (d *askDialogue) Next(in []byte, _ bool) checker.Step {
	if d.panics {
		panic("what is this?")
	}
	line, _, whole := bytes.Cut(in, []byte("\n"))
	switch {
	case d.startTLS != nil && whole:
		config := d.startTLS
		d.startTLS, d.began, d.silent = nil, false, false
		return checker.Step{Consumed: len(line) + 1, StartTLS: config}
	case !d.began && !d.silent:
		d.began = true
		return checker.Step{Send: []byte(d.question), CloseWrite: d.noMore}
	case d.unlimited || !whole:
		return checker.Step{}
	case d.follow != nil:
		return checker.Step{Follow: d.follow}
	case string(line) != d.answer:
		return checker.Step{Done: true, Err: errors.New("answered " + string(line))}
	case d.goodbye != "":
		d.answer, d.goodbye = d.goodbye, ""
		step := d.Next(in[len(line)+1:], false)
		step.Consumed, step.Send = step.Consumed+len(line)+1, []byte("QUIT\n")
		return step
	}
	return checker.Step{Done: true, Detail: "as it should"}
}

// serve runs server on each connection to a loopback port until the test ends.
func serve(t *testing.T, server func(net.Conn)) netip.AddrPort {
	t.Helper()
	return lab.ServeAt(t, "127.0.0.1:0", server)
}

// serveUDP runs server on a loopback port until the test ends.
func serveUDP(t *testing.T, server func(*net.UDPConn)) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { server(conn) })
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// readLine reads up to a newline and nothing behind it.
func readLine(r io.Reader) string {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil || b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

// answering is a server that answers one question.
func answering(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		readLine(conn)
		io.WriteString(conn, answer)
		io.Copy(io.Discard, conn)
	}
}

// silent is a server that takes everything and says nothing.
func silent(conn net.Conn) { io.Copy(io.Discard, conn) }

// dribbling is a server that sends text byte by byte, pause between them, until
// the client goes away.
func dribbling(text string, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		for i := range len(text) {
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				return
			}
			<-time.After(pause)
		}
		io.Copy(io.Discard, conn)
	}
}

// blackHole is an address that does not answer to connects at all: a listener
// whose queue is full drops what comes.
func blackHole(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	self, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(self.(*syscall.SockaddrInet4).Port))
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return addr
}

// newTLS returns the configurations of a server and of a client that trusts it.
func newTLS(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"real.example"},
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return server, &tls.Config{RootCAs: roots, ServerName: "real.example"}
}

// overTLS is server behind TLS.
func overTLS(config *tls.Config, server func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		secure := tls.Server(conn, config)
		if secure.Handshake() != nil {
			return
		}
		server(secure)
		secure.CloseWrite()
	}
}
