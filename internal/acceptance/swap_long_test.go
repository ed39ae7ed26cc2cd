//go:build long

package acceptance

import (
	"os"
	"slices"
	"testing"
)

// TestLongSwap is TestSwap with every restart, a daemon that hangs, and the way back.
func TestLongSwap(t *testing.T) {
	t.Parallel()
	w := newSwap(t)
	if w == nil {
		return
	}
	w.swap(t, [][]string{
		{"ldirectord", "check"},
		{"systemctl", "restart", "ldirectord"},
		{"systemctl", "try-restart", "ldirectord"},
		{"systemctl", "reload", "ldirectord"},
	})
	w.m.refused("systemctl stop ldirectord.service", "ldirectord", "stop")
	// A systemd that does not answer is no permission.
	busy := t.TempDir()
	if err := os.WriteFile(busy+"/systemctl", []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.m.refused("systemctl stop ldirectord.service", "env", "PATH="+busy+":"+os.Getenv("PATH"), "ldirectord", "stop")
	w.hangs(t)
	w.held = w.hold(20)
	w.w.taken() // what that stop and start have asked for

	// The Perl daemon takes real servers out and puts them in at its start, so that only
	// what is held is asked of it.
	copyFile(t, w.perl, installedFile, 0o755)
	copyFile(t, w.debianUnit, unitFile, 0o644)
	w.m.must("systemctl", "daemon-reload")
	w.m.must("systemctl", "kill", "--kill-who=main", "--signal=KILL", "ldirectord")
	w.m.must("systemctl", "restart", "ldirectord") // a start would do nothing before systemd has seen the end
	w.m.isOurs(t, false)
	w.comesFull(t, "the way back")
	w.held.live(t, "the way back")
	if got := w.w.taken(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "FLUSH") {
		t.Errorf("the way back asked the kernel for %q", got)
	}
	w.m.must("systemctl", "stop", "ldirectord")
	await(t, "an empty table", func() bool { return w.Table() == "" })
}
