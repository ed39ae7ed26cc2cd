package words

import (
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestLeaving says of a real server that left by its checks what it waits for, and until when it has
// weight 0.
func TestLeaving(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.Local)
	for name, tt := range map[string]struct {
		state   report.State
		out     report.Out
		present bool
		want    string
	}{
		"waits":        {report.StateWaiting, report.Out{WaitingSince: now}, false, "waits for ldirectord enable 10.1.0.1:80 since 12:00:00"},
		"will wait":    {report.StateDown, report.Out{WaitingSince: now}, false, "comes back by enable alone (return = byhand)"},
		"has weight 0": {report.StateDown, report.Out{QuiescentUntil: now}, true, "weight 0 until 12:00:00, then removed (quiescenttime)"},
		"was removed":  {report.StateDown, report.Out{QuiescentUntil: now}, false, "removed at 12:00:00 (quiescenttime)"},
	} {
		r := &report.RealState{State: tt.state, Out: tt.out, RealName: report.RealName{Name: "10.1.0.1:80", At: "10.1.0.1:80"}}
		r.Present = tt.present
		if got := strings.Join(Remarks(r, now), "; "); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if waits := (&report.RealState{State: report.StateWaiting, Up: true}); LevelOf(waits) != Notable || Sign(waits.State) == "" {
		t.Error("a real server that waits is not notable, or has no sign")
	}
}
