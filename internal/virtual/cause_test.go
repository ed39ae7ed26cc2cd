package virtual

import (
	"testing"

	"github.com/ldirectord/ldirectord/internal/event"
)

// TestLastIsNoIdleBackup has a backup server that was never needed leave beside the last real server,
// before and after it: the last of the virtual service is the real server.
func TestLastIsNoIdleBackup(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		v := jointly(t, 1, "    backup=10.2.0.1:80 masq\n")
		for _, i := range order {
			r := v.Reals[i]
			v.Moved(r, false, &event.Cause{Kind: event.CauseCheck, Detail: "connection refused"})
		}
		if got, want := v.Outage.Left.Real, v.Reals[0].Name(); got != want {
			t.Errorf("in the order %v the last is %s, want %s", order, got, want)
		}
	}
}
