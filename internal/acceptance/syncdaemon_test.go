package acceptance

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestSyncDaemon fails over between two directors: without a sync daemon all connections are
// reset, and with the program's own none that the kernel has carried. restart keeps the sync
// daemon and stop ends it. TestLongSyncDaemon has the other set-ups.
func TestSyncDaemon(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	gate := pairing{name: "gate", mode: lab.DR}
	t.Run("nothing", func(t *testing.T) { wantSurvivors(t, gate, memories[0], 0, 0) })
	t.Run("sync daemon", func(t *testing.T) {
		c := wantSurvivors(t, gate, memories[1], oldConns, 0)
		const master, backup = "master sync daemon (mcast=eth0, syncid=7", "backup sync daemon (mcast=eth0, syncid=7"
		run := func(when string, want int) {
			t.Helper()
			is := c.Output("director", "ipvsadm", "-L", "--daemon")
			if strings.Count(is, master)+strings.Count(is, backup) != want {
				t.Errorf("%s: sync daemons:\n%swant %d", when, is, want)
			}
		}
		run("start", 2)
		c.run("director", "restart")
		run("restart", 2)
		show := c.run("director", "show")
		for _, line := range []string{"sync daemon: master on eth0, id 7\n", "sync daemon: backup on eth0, id 7\n"} {
			if !strings.Contains(show, line) {
				t.Errorf("show lacks %q:\n%s", line, show)
			}
		}
		c.Output("director", "ipvsadm", "--stop-daemon", "backup")
		c.run("director", "stop")
		run("stop", 0)
		c.Output("director2", "ipvsadm", "--stop-daemon", "master")
		c.Output("director2", "ipvsadm", "--start-daemon", "master", "--mcast-interface", "eth0", "--syncid", "9")
		c.run("director2", "stop")
		if is := c.Output("director2", "ipvsadm", "-L", "--daemon"); !strings.Contains(is, "syncid=9") || strings.Contains(is, "backup") {
			t.Errorf("stop beside a sync daemon of another program leaves\n%s", is)
		}
	})
}

func wantSurvivors(t *testing.T, p pairing, m memory, wantOld, wantYoung int) *pair {
	t.Helper()
	c := newPair(t, p, m)
	old, young := c.survivors(p, m)
	t.Logf("%s, %s: %d of %d connections live on, and %d of the %d youngest", p.name, m.name, old, oldConns, young, youngConns)
	if old != wantOld || young != wantYoung {
		t.Errorf("%s, %s: %d of %d connections live on, and %d of the %d youngest; want %d and %d",
			p.name, m.name, old, oldConns, young, youngConns, wantOld, wantYoung)
	}
	return c
}
