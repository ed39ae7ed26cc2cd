package realserver_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
)

// agent is a program like HAProxy's agents: it says its line to whoever comes.
func agent(t *testing.T, line *atomic.Value) netip.AddrPort {
	return listen(t, func(conn net.Conn) {
		io.WriteString(conn, line.Load().(string))
	})
}

// TestAgent has ldirectord follow what an agent says: the share of the weight,
// no new connections, out, and back.
func TestAgent(t *testing.T) {
	var line atomic.Value
	line.Store("75%\n")
	at := agent(t, &line)
	s := newSite(t)
	s.virtual(story{}, unusual, netip.AddrPortFrom(at.Addr(), 1), "checktype=agent", "checkinterval=200ms", fmt.Sprintf("checkport=%d", at.Port()))
	const v = "10.9.0.2:8000"
	p := run(t, s.write())
	for _, step := range []struct{ line, verdict, weight string }{
		{"75%\n", "up", "75"},
		{"up 50% # half of it is broken\r\n", "up", "50"},
		{"drain\n", "up", "0"},
		{"ready 100%\n", "up", "100"},
		{"maint\n", `agent reports "maint"`, ""},
		{"ready\n", "up", "100"},
		{"down # disk full\n", `agent reports "down # disk full"`, ""},
		{"up\n", "up", "100"},
		{"what?\n", `no words of an agent: "what?"`, ""},
		{"up 20%", "up", "20"}, // without a line's end
		{"\n", "the agent's line is empty", ""},
	} {
		line.Store(step.line)
		p.await(fmt.Sprintf("agent reports %q", step.line), func() []string {
			got := fmt.Sprintf("%q with weight %q", p.verdict[v], p.weight[v])
			if agrees(p.verdict[v], step.verdict) && p.weight[v] == step.weight {
				return nil
			}
			return []string{fmt.Sprintf("%s, want %q with weight %q", got, step.verdict, step.weight)}
		})
	}
}
