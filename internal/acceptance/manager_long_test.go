//go:build long

package acceptance

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

var heartbeat = manager{
	name: "heartbeat", place: "/etc/ha.d/resource.d/ldirectord", words: []string{"ldirectord.cf"},
	restart: []string{installedFile, "ldirectord.cf", "restart"}, status: "status", stopped: 3,
}

// TestLongManagers is TestManagers for every manager, and the way back, with the OCF
// agents of our packages and of Debian's resource-agents.
func TestLongManagers(t *testing.T) {
	t.Parallel()
	lab.Need(t, "resource-agents")
	h := newManaged(t)
	if h == nil {
		return
	}
	debian := pacemaker
	debian.name, debian.perl, debian.ours = "Pacemaker with Debian's agent", pacemaker.place, pacemaker.place
	debian.killed = 7                                                 // for it a dead daemon is one that was never started
	for _, m := range []manager{debian, pacemaker, sysV, heartbeat} { // ours overwrites Debian's agent
		h.swap(t, m)
		h.back(t, m)
		if m.name != debian.name { // that kills a daemon that hangs by itself, and leaves the table
			h.hangs(t, m)
		}
		if m.place == pacemaker.place {
			h.agent(t, m)
		}
	}
	h.removedFromHung(t, "halted", func(pid int) { halt(t, pid) })
}

// back gives the place to the Perl daemon, as docs/migration.md says.
func (h *managed) back(t testing.TB, m manager) {
	t.Helper()
	held := h.hold(10)
	h.w.taken()
	pid := readPid(pidFile)
	h.install(t, h.perl, m.perl, m.place)
	if pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
		t.Fatalf("%s: no process %d to kill", m.name, pid)
	}
	await(t, "the end of ours", func() bool { return gone(pid) })
	h.must(t, m, 0, "start")
	h.comesFull(t, m.name+", with the Perl daemon")
	held.live(t, m.name+"'s way back")
	if got := h.w.taken(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "FLUSH") {
		t.Errorf("%s: the way back asked the kernel for %q", m.name, got)
	}
	h.must(t, m, 0, "stop")
	await(t, "an empty table", func() bool { return h.Table() == "" })
}

// agent has an OCF agent find a daemon that was killed, and one whose file was broken since
// its start; a cluster that cannot stop a resource fences the host.
func (h *managed) agent(t testing.TB, m manager) {
	t.Helper()
	h.install(t, h.ours, m.ours, m.place)
	h.must(t, m, 0, "start")
	pid := readPid(pidFile)
	if pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
		t.Fatalf("%s: no process %d to kill", m.name, pid)
	}
	await(t, "the end of ours", func() bool { return gone(pid) })
	h.must(t, m, m.killed, m.status)
	h.must(t, m, 0, "start")
	h.must(t, m, 0, m.status)
	h.write(t, swapConfig+"nonsense = 1\n")
	h.must(t, m, 0, m.status)
	h.must(t, m, 0, "stop")
	if table := h.Table(); table != "" {
		t.Errorf("%s: the table after the stop of a daemon whose file is broken:\n%s", m.name, table)
	}
	h.must(t, m, m.stopped, m.status)
	h.must(t, m, 1, "start")
	h.write(t, swapConfig)
	h.must(t, m, 0, "start")
	h.must(t, m, 0, "stop")
	h.must(t, m, 0, "stop")
}

// write makes text the configuration file.
func (h *managed) write(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(configFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
