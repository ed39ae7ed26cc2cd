package checker

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/perlre"
)

var _, _ Talker = SimpleTCP{}, SimpleUDP{}

// Answers to simpletcp, however they are cut.
func TestSimpleTCP(t *testing.T) {
	addr := netip.MustParseAddrPort("10.1.0.3:7")
	tests := []struct {
		name    string
		receive string // "" is no Pattern
		limit   int
		answer  string
		err     string
	}{
		{"the second line", "second reply: PING one/two", 0, "HELLO\nsecond reply: PING one/two\nmore", ""},
		{"a line without end", "^bye$", 0, "HELLO\nbye", ""},
		{"the end belongs to the line", `bye\r\n\z`, 0, "HELLO\nbye\r\n", ""},
		{"not over two lines", "HELLO.*reply", 0, "HELLO\nreply\n", `receive "HELLO.*reply" not found in any line of 12 bytes: "HELLO\n"`},
		{"not even with s", "(?s)HELLO.*reply", 0, "HELLO\nreply", `receive "(?s)HELLO.*reply" not found in any line of 11 bytes: "HELLO\n"`},
		{"any line", "", 0, "\n", ""},
		{"any text", "", 0, "x", ""},
		{"nothing", "", 0, "", "closed the connection without an answer"},
		{"nothing to match", "x", 0, "", "closed the connection without an answer"},
		{"within the limit", "b", 4, "a\nb\nc", ""},
		{"beyond the limit", "c", 4, "a\nb\nc", `receive "c" not found in any line of 4 bytes: "a\n"`},
		{"a line that the limit cuts", "^bb$", 4, "a\nbbbb\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := SimpleTCP{Addr: addr, Request: `/PING one\ntwo`, Limit: tt.limit}
			if tt.receive != "" {
				s.Receive = compilePattern(t, tt.receive)
			}
			verdict, sent := splitEverywhere(t, s.Dialogue, tt.answer)
			if errText(verdict.Err) != tt.err || sent != "PING one\ntwo<no more>" {
				t.Errorf("error %v, sent %q, want %q", verdict.Err, sent, tt.err)
			}
		})
	}
	leaving := SimpleTCP{Addr: addr, Request: `/PING one\ntwo`, Receive: compilePattern(t, "bye"), Drain: compilePattern(t, "good")}
	if verdict, _ := splitEverywhere(t, leaving.Dialogue, "HELLO\ngood bye\n"); errText(verdict.Err) != `drains: receivedrain "good" found in "good bye\n"` {
		t.Errorf("an answer that drains: %v", verdict.Err)
	}
	if got, want := (SimpleTCP{Addr: addr, Request: `a\n`}).String(), `simpletcp "a\n" to 10.1.0.3:7`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

// Over real connections: the server sees the end of the request, and bad
// peers are down.
func TestSimpleTCPPeers(t *testing.T) {
	tests := []struct {
		name   string
		server func(net.Conn)
		err    string
	}{
		{"answers when all has arrived", func(conn net.Conn) {
			request, err := io.ReadAll(conn)
			if err == nil {
				io.WriteString(conn, "got "+string(request))
			}
		}, ""},
		{"closes", func(net.Conn) {}, "closed the connection without an answer"},
		{"resets", reset, "reset by peer"},
		{"talks without end", func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, strings.Repeat("spam\n", 1000)); err != nil {
					return
				}
			}
		}, `receive "got PING" not found in any line of 1048576 bytes: "spam\n"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := talk(t, SimpleTCP{Request: "PING", Receive: compilePattern(t, "got PING")}, tt.server)
			if (err == nil) != (tt.err == "") || !strings.Contains(errText(err), tt.err) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}

func FuzzSimpleTCP(f *testing.F) {
	f.Add([]byte("a\nb\n"), uint16(1))
	f.Add([]byte("x"), uint16(0))
	receive, err := perlre.Compile("^b$")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte, size uint16) {
		s := SimpleTCP{Receive: receive, Limit: 100}
		whole := feedBySize(s.Dialogue(), string(answer), len(answer))
		cut := feedBySize(s.Dialogue(), string(answer), int(size)+1)
		if errText(whole.Err) != errText(cut.Err) {
			t.Errorf("whole: %v, cut at every %d bytes: %v", whole.Err, int(size)+1, cut.Err)
		}
	})
}

func TestSimpleUDP(t *testing.T) {
	for _, tt := range []struct{ name, receive, answer, err string }{
		{"match", "^PONG", "PONG 1", ""},
		{"no match", "^PONG", "what?", `receive "^PONG" not found in 5 bytes: "what?"`},
		{"any answer", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := SimpleUDP{Request: `/PING\n`}
			if tt.receive != "" {
				s.Receive = compilePattern(t, tt.receive)
			}
			_, err := talk(t, s, func(conn net.Conn) {
				got := make([]byte, 100)
				if n, err := conn.Read(got); err == nil && string(got[:n]) == "PING\n" {
					io.WriteString(conn, tt.answer)
				}
			})
			if errText(err) != tt.err {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
	s := SimpleUDP{Addr: netip.MustParseAddrPort("[fd00::3]:53"), Request: "x"}
	if got, want := s.String(), `simpleudp "x" to [fd00::3]:53`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	if got := s.Target(); got.Network != "udp" || got.Resend != time.Second {
		t.Errorf("Target() = %+v, want udp, sent again every second", got)
	}
}
