package engine

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/lab"
)

func TestUDP(t *testing.T) {
	t.Parallel()
	// answers is a server that sends answers to each datagram but the first ones.
	answers := func(ignored int, answers ...string) func(*net.UDPConn) {
		return func(conn *net.UDPConn) {
			in := make([]byte, 2048)
			for i := 0; ; i++ {
				_, peer, err := conn.ReadFromUDPAddrPort(in)
				if err != nil {
					return
				}
				for _, answer := range answers {
					if i >= ignored {
						conn.WriteToUDPAddrPort([]byte(answer), peer)
					}
				}
			}
		}
	}
	long := string(make([]byte, 60_000))
	tests := []struct {
		name    string
		addr    netip.AddrPort
		resend  time.Duration
		answer  string
		timeout time.Duration
		want    verdict
	}{
		{"answer", serveUDP(t, answers(0, "hello!\n")), 0, "hello!", ample, isUp},
		{"the first datagrams are lost", serveUDP(t, answers(3, "hello!\n")), 20 * ms, "hello!", ample, isUp},
		{"the first datagram is lost and not sent again", serveUDP(t, answers(1, "hello!\n")), 0, "hello!", brief, down("no answer in 150ms")},
		{"empty datagrams say nothing", serveUDP(t, answers(0, "", "", "hello!\n")), 0, "hello!", ample, isUp},
		{"what is left of a datagram is forgotten", serveUDP(t, answers(0, "hello", "hello!\n")), 0, "hello!", ample, isUp},
		{"a long datagram", serveUDP(t, answers(0, long+"\n")), 0, long, ample, isUp},
		{"silent", serveUDP(t, answers(1<<20)), 20 * ms, "hello!", brief, down("no answer in 150ms")},
		{"only what does not count", serveUDP(t, answers(0, "hello")), time.Hour, "hello!", brief, down("no complete answer in 150ms, only 5 bytes")},
		{"refused", lab.HoldUDPPort(t), 0, "hello!", ample, down("connection refused")},
		{"refused while it waits to send again", lab.HoldUDPPort(t), time.Hour, "hello!", ample, down("connection refused")},
	}
	e := newEngine(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ask{
				target:   checker.Target{Network: "udp", Addr: tt.addr, Resend: tt.resend},
				question: "hello?\n", answer: tt.answer,
			}
			if diff := cmp.Diff(tt.want, verdictOf(e.Ask(t.Context(), a, tt.timeout, 1))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResendGoesOn(t *testing.T) {
	var asked atomic.Int32
	addr := serveUDP(t, func(conn *net.UDPConn) {
		for in := make([]byte, 100); ; {
			n, _, err := conn.ReadFromUDPAddrPort(in)
			if err != nil {
				return
			}
			if string(in[:n]) == "hello?\n" {
				asked.Add(1)
			}
		}
	})
	a := ask{target: checker.Target{Network: "udp", Addr: addr, Resend: 20 * ms}, question: "hello?\n"}
	newEngine(t, Options{}).Ask(t.Context(), a, 210*ms, 1)
	if n := asked.Load(); n < 3 || n > 11 {
		t.Errorf("the question was sent %d times in 210ms, want about every 20ms", n)
	}
}
