package record

import (
	"math"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestDayOfManyTransitions has a real server that is down for 15 s in each minute, which has
// more transitions than are listed: the day knows them all.
func TestDayOfManyTransitions(t *testing.T) {
	begin := time.Date(2026, 11, 21, 12, 20, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		lasts time.Duration
		known time.Duration // of the day
	}{
		"ten minutes": {10 * time.Minute, 10 * time.Minute},
		"an hour":     {time.Hour, time.Hour},
		"a day":       {report.Day, report.Day},
		"three days":  {3 * report.Day, report.Day},
	} {
		t.Run(name, func(t *testing.T) {
			var turns Transitions
			end := begin.Add(tt.lasts)
			for at := begin; at.Before(end); at = at.Add(time.Minute) {
				turns.Add(report.ConditionUp, at)
				turns.Add(report.ConditionDown, at.Add(45*time.Second))
			}
			d := report.DayOf(turns.Hours(end), turns.List(), end)
			known := tt.known.Seconds()
			if math.Abs(float64(d.Up)-known*3/4) > 1 || math.Abs(float64(d.Down)-known/4) > 1 || d.Planned != 0 {
				t.Errorf("up for %v, down for %v of %v", d.Up.Duration(), d.Down.Duration(), tt.known)
			}
			if since := end.Sub(d.Since); since < tt.known || since > min(tt.known+time.Hour, report.Day) {
				t.Errorf("known for %v, want %v", since, tt.known)
			}
		})
	}
}

// TestDayAfterPause has hours of an older day, which do not count.
func TestDayAfterPause(t *testing.T) {
	begin := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var turns Transitions
	for i := range 100 {
		turns.Add([]report.Condition{report.ConditionDown, report.ConditionUp}[i%2], begin.Add(time.Duration(i)*time.Second))
	}
	now := begin.Add(5 * report.Day)
	if d := report.DayOf(turns.Hours(now), turns.List(), now); d.Up.Duration() != report.Day || d.Down != 0 || !d.Since.Equal(now.Add(-report.Day)) {
		t.Errorf("five days later it was up for %v, down for %v, known since %v", d.Up.Duration(), d.Down.Duration(), d.Since)
	}
	if d := report.DayOf(nil, nil, now); !d.Since.IsZero() {
		t.Errorf("nothing is known since %v", d.Since)
	}
}
