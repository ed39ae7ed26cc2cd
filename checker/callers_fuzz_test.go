package checker

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// FuzzCallers runs every check of a library against a server that sends arbitrary
// bytes. No check may panic, hang, or report a local error.
func FuzzCallers(f *testing.F) {
	for _, answer := range []string{
		"220 ready\r\n331 ?\r\n230 in\r\n211-x\r\n EPSV\r\n211 end\r\n200 I\r\n250 /\r\n227 (127,0,0,1,0,1)\r\n",
		"0\x0c\x02\x01\x01a\x07\x0a\x01\x00\x04\x00\x04\x000\x0f\x02\x01\x02d\x0a\x04\x04dc=x0\x020\x000\x0c\x02\x01\x02e\x07\x0a\x01\x00\x04\x00\x04\x00",
		"0\x0c\x02\x01\x01x\x07\x0a\x01\x00\x04\x00\x04\x00",
		"J\x00\x00\x00\x0a8.0\x00\x01\x00\x00\x0012345678\x00\x01\x82\x21\x02\x00\x08\x00\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00123456789012\x00mysql_native_password\x00",
		"NR\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I",
		"NR\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00",
		"S",
		"\x00\x40\x00\x00\x02\x00\x00\x00\x01\x3a",
		"\x00\x20\x00\x00\x05\x00\x00\x00\x00\x16(ADDRESS=(HOST=x)(PORT=1))",
	} {
		f.Add([]byte(answer))
	}
	answers := make(chan []byte, 1)
	addr := fuzzServer(f, answers)
	f.Fuzz(func(t *testing.T, answer []byte) {
		for name, check := range libraryCheckers(addr) {
			answers <- answer
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			begin := time.Now()
			_, err := check.Check(ctx)
			if took := time.Since(begin); took > eventually.Limit || IsLocal(err) {
				t.Errorf("%s: error %v (local: %v) after %v", name, err, IsLocal(err), took)
			}
			cancel()
			select {
			case <-answers: // it did not connect
			default:
			}
		}
	})
}

// fuzzServer gives the first connection of each check its answer and closes
// all others.
func fuzzServer(f *testing.F, answers <-chan []byte) netip.AddrPort {
	f.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case answer := <-answers:
				go answerAll(c.(*net.TCPConn), answer)
			default:
				c.Close()
			}
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

// answerAll sends answer to any request, and waits until the client has closed the
// connection.
func answerAll(c *net.TCPConn, answer []byte) {
	defer c.Close()
	c.Write(answer)
	c.CloseWrite()
	io.Copy(io.Discard, c)
}
