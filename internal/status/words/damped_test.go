package words

import (
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestDamped judges a damped real server by what its checks say, and says until when it is out.
func TestDamped(t *testing.T) {
	now := time.Date(2026, 11, 29, 18, 43, 46, 0, time.Local)
	r := &report.RealState{State: report.StateDamped, Up: true, Out: report.Out{DampedUntil: now.Add(12 * time.Second)}}
	if got := LevelOf(r); got != Notable {
		t.Errorf("one whose checks are good is %v", got)
	}
	if got := strings.Join(Remarks(r, now.Truncate(time.Minute)), "; "); !strings.Contains(got, "out until 18:43:58, or enable") {
		t.Errorf("the remarks are %q", got)
	}
	r.Up = false
	if got := LevelOf(r); got != Bad {
		t.Errorf("one whose checks fail is %v", got)
	}
	r.InService, r.Wanted = true, 1
	if got := strings.Join(Remarks(r, now), "; "); !strings.Contains(got, "minalive") {
		t.Errorf("the remarks of one that is kept are %q", got)
	}
	if Sign(report.StateDamped) == "" {
		t.Error("it has no sign")
	}
}
