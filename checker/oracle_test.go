//go:build !nooracle

package checker

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// hasOracle is whether this build has a client for Oracle.
const hasOracle = true

// The types of TNS packets, beside tnsAccept.
const (
	tnsConnect  = 1
	tnsRefuse   = 4
	tnsRedirect = 5
	tnsData     = 6
)

// tnsPacket returns a packet with a length of 16 bits.
func tnsPacket(kind byte, body string) string {
	head := make([]byte, tnsHeaderLen)
	binary.BigEndian.PutUint16(head, uint16(len(head)+len(body)))
	head[4] = kind
	return string(head) + body
}

// tnsAcceptPacket ends the handshake with the protocol version.
func tnsAcceptPacket(version uint16) string {
	body := make([]byte, 56)
	binary.BigEndian.PutUint16(body, version)
	binary.BigEndian.PutUint16(body[4:], 8192) // the data units
	binary.BigEndian.PutUint16(body[6:], 8192)
	binary.BigEndian.PutUint16(body[12:], 64) // where the data begins: behind the packet
	binary.BigEndian.PutUint32(body[24:], 8192)
	binary.BigEndian.PutUint32(body[28:], 8192)
	return tnsPacket(tnsAccept, string(body))
}

func tnsRedirectPacket(to netip.AddrPort) string {
	text := fmt.Sprintf("(ADDRESS=(PROTOCOL=tcp)(HOST=%v)(PORT=%d))", to.Addr(), to.Port())
	return tnsPacket(tnsRedirect, lengthed(text))
}

func tnsRefusePacket(text string) string { return tnsPacket(tnsRefuse, "\x22\x00"+lengthed(text)) }

// lengthed puts a length of 16 bits before text.
func lengthed(text string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(text)))) + text
}

// tnsListener answers a client's connect packet and counts them.
func tnsListener(answer string, asked *atomic.Int32) func(net.Conn) {
	return func(c net.Conn) {
		request := make([]byte, 2048)
		n, _ := c.Read(request)
		if n > 4 && request[4] == tnsConnect {
			asked.Add(1)
		}
		io.WriteString(c, answer)
		io.Copy(io.Discard, c)
	}
}

func TestOracle(t *testing.T) {
	var refusals, loops atomic.Int32
	const noSID = "(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR=12505)(ERROR_STACK=(ERROR=(CODE=12505)(EMFI=4))))"
	refuses := listen(t, tnsListener(tnsRefusePacket(noSID), &refusals))
	loop := listen(t, func(c net.Conn) {
		self := netip.MustParseAddrPort(c.LocalAddr().String())
		tnsListener(tnsRedirectPacket(self), &loops)(c)
	})
	var ignored atomic.Int32
	tests := []struct {
		name  string
		serve func(net.Conn)
		want  string
	}{
		{"refused", tnsListener(tnsRefusePacket(noSID), &ignored), "login as u: ORA-12505"},
		{"redirected to who refuses", tnsListener(tnsRedirectPacket(refuses), &ignored), "login as u: ORA-12505"},
		{"redirected to nobody", tnsListener(tnsRedirectPacket(lab.HoldPort(t)), &ignored), "login as u: connection refused"},
		{"redirected without end", tnsListener(tnsRedirectPacket(loop), &ignored), "login as u: too many connections for one check"},
		{"accepted, then silent", tnsListener(tnsAcceptPacket(314), &ignored), "login as u: no answer in 300ms"},
		{"accepted, then closed", func(c net.Conn) {
			io.WriteString(c, tnsAcceptPacket(314))
			c.Read(make([]byte, 2048))
		}, "login as u: "},
		{"accepted, then nonsense", tnsListener(tnsAcceptPacket(314)+tnsPacket(tnsData, strings.Repeat("\xff", 100)), &ignored), "login as u: "},
		{"no room for a header", tnsListener("\x00\x02\x00\x00\x02\x00\x00\x00", &ignored), "login as u: not an Oracle listener's answer"},
		{"4 GiB", tnsListener(tnsAcceptPacket(318)+"\xff\xff\xff\xff\x06\x00\x00\x00", &ignored), "login as u: not an Oracle listener's answer"},
		{"an accept packet that ends early", tnsListener(tnsPacket(tnsAccept, "\x01\x3a"), &ignored), "login as u: not an Oracle listener's answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			timeout := eventually.Limit
			if strings.Contains(tt.want, "no answer") {
				timeout = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			o := Oracle{Addr: listen(t, tt.serve), Login: "u", Passwd: "secret", Database: "XE", Request: "/select 1 from dual"}
			begin := time.Now()
			_, err := o.Check(ctx)
			if got := errText(err); !strings.Contains(got, tt.want) || IsLocal(err) || strings.Contains(got, "secret") {
				t.Errorf("error %q (local: %v), want %q", got, IsLocal(err), tt.want)
			}
			eventually.InTime(t, "the check", begin, timeout)
		})
	}
	if refusals.Load() != 1 || loops.Load() != maxConns-1 {
		t.Errorf("%d and %d redirections were followed, want 1 and %d", refusals.Load(), loops.Load(), maxConns-1)
	}
	if _, err := (Oracle{Login: "u", Request: "/select 1 from dual"}).Check(t.Context()); errText(err) != "no database is given, which is the SID" {
		t.Errorf("without a database: %v", err)
	}
}

// TestTNSConn reads packets in pieces of every size: those that can be pass as
// they are, the others do not.
func TestTNSConn(t *testing.T) {
	wide := func(length uint32, body string) string {
		head := binary.BigEndian.AppendUint32(nil, length)
		return string(head) + "\x06\x00\x00\x00" + body
	}
	tests := []struct {
		name, packets string
		ok            bool
	}{
		{"narrow", tnsPacket(tnsData, "abc") + tnsPacket(tnsData, "") + tnsPacket(tnsRefuse, "x"), true},
		{"narrow after an old version", tnsAcceptPacket(314) + tnsPacket(tnsData, "abc"), true},
		{"wide after a new version", tnsAcceptPacket(318) + wide(11, "abc") + wide(8, "") + wide(9, "x"), true},
		{"too short", tnsPacket(tnsData, "abc") + "\x00\x07\x00\x00\x06\x00\x00\x00", false},
		{"too short an accept packet", "\x00\x08\x00\x00\x02\x00\x00\x00\x01\x3e", false},
		{"an accept packet with more data than it says", tnsAcceptPacket(314)[:19] + "\x01" + tnsAcceptPacket(314)[20:], false},
		{"a new version in an old accept packet", tnsPacket(tnsAccept, "\x01\x3e"+strings.Repeat("\x00", 8)+"\x00\x00\x00\x20"+strings.Repeat("\x00", 10)), false},
		{"wide and too short", tnsAcceptPacket(318) + wide(7, ""), false},
		{"wide and too long", tnsAcceptPacket(318) + wide(maxAnswer+1, ""), false},
	}
	for _, tt := range tests {
		for _, whole := range []bool{true, false} {
			var in io.Reader = strings.NewReader(tt.packets)
			if !whole {
				in = iotest.OneByteReader(in)
			}
			d := newDialer(t.Context())
			got, err := io.ReadAll(&tnsConn{Conn: readerConn{Reader: in}, dialer: d})
			d.Close()
			if (err == nil) != tt.ok || tt.ok && string(got) != tt.packets {
				t.Errorf("%s (whole: %v): read %q, %v", tt.name, whole, got, err)
			}
		}
	}
}

// A readerConn is a connection that can only be read.
type readerConn struct {
	net.Conn
	io.Reader
}

func (c readerConn) Read(b []byte) (int, error) { return c.Reader.Read(b) }

func FuzzTNSConn(f *testing.F) {
	f.Add([]byte(tnsAcceptPacket(318)+"\x00\x00\x00\x09\x06\x00\x00\x00x"), 3)
	f.Add([]byte(tnsPacket(tnsData, "abc")), 1)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		whole, pieces := new(tnsConn), new(tnsConn)
		cut = max(0, min(cut, len(stream)))
		first := whole.follow(stream)
		second := pieces.follow(stream[:cut]) && pieces.follow(stream[cut:])
		if first != second {
			t.Errorf("%q: %v in one piece, %v cut at %d", stream, first, second, cut)
		}
	})
}
