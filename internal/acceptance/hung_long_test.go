//go:build long

package acceptance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// hangs has the daemon hang under systemd: a restart replaces it and writes nothing, a
// stop cleans the table, within what the command line allows.
func (w *swap) hangs(t testing.TB) {
	t.Helper()
	w.w.taken()
	halt(t, w.mainPID(t))
	began := time.Now()
	w.m.must("systemctl", "restart", "ldirectord")
	t.Logf("the restart of a daemon that hangs took %v", time.Since(began).Round(time.Millisecond))
	w.held.live(t, "the restart of a daemon that hangs")
	if got := w.w.taken(); len(got) > 0 {
		t.Errorf("the restart of a daemon that hangs asked the kernel for %q", got)
	}

	halt(t, w.mainPID(t))
	began = time.Now()
	w.m.must("systemctl", "stop", "ldirectord")
	t.Logf("the stop of a daemon that hangs took %v", time.Since(began).Round(time.Millisecond))
	eventually.InTime(t, "the stop of a daemon that hangs", began, 12*time.Second)
	if table := w.Table(); table != "" {
		t.Errorf("the table after the stop of a daemon that hangs:\n%s", table)
	}
	w.m.must("systemctl", "reset-failed", "ldirectord")
	w.m.must("systemctl", "start", "ldirectord")
	w.comesFull(t, "the start after a hang")
}

// mainPID is the main process of the unit, as this namespace numbers it.
func (w *swap) mainPID(t testing.TB) int {
	t.Helper()
	inner := strings.TrimSpace(w.m.must("systemctl", "show", "--property=MainPID", "--value", "ldirectord"))
	for _, status := range statusLines("NSpid:") {
		if fields := strings.Fields(status); len(fields) > 2 && fields[len(fields)-1] == inner {
			pid, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process is %s in systemd's namespace", inner)
	return 0
}

// statusLines are the lines of /proc/PID/status that begin with a word.
func statusLines(word string) (lines []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, word) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
