//go:build long

package acceptance

import (
	"testing"

	"ldirectord/internal/lab"
)

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
	for _, m := range []manager{debian, pacemaker, sysV, heartbeat} { // ours overwrites Debian's agent
		h.swap(t, m)
		h.back(t, m)
		if m.name != debian.name { // that kills a daemon that hangs by itself, and leaves the table
			h.hangs(t, m)
		}
	}
}
