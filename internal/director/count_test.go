package director

import (
	"testing"
	"time"
)

func TestCount(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	tests := []struct {
		name    string
		from    verdict
		limits  limits
		answers string // + is a good one, - a bad one
		want    string // the verdict after each: ? unproven, u up, d down
	}{
		{"the first answer decides for the unproven", unproven, limits{3, 3}, "+", "u"},
		{"also the bad one", unproven, limits{3, 3}, "-", "d"},
		{"one failure is enough by default", up, limits{1, 1}, "+-+", "udu"},
		{"failures count in a row", up, limits{3, 1}, "--+--+---", "uuuuuuuud"},
		{"successes count in a row", down, limits{1, 3}, "++-++-+++", "ddddddddu"},
		{"a failure after coming back counts anew", down, limits{2, 2}, "++-+--", "duuuud"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now, got := start, ""
			tl := tally{verdict: tt.from, since: start}
			for _, answer := range tt.answers {
				now = now.Add(time.Second)
				before := tl
				tl = tl.count(answer == '+', 1, tt.limits, now)
				got += string("?ud"[tl.verdict])
				if changed := tl.verdict != before.verdict; changed != tl.since.Equal(now) {
					t.Errorf("after %d answers the verdict is since %v, changed at %v: %t", len(got), tl.since, now, changed)
				}
			}
			if got != tt.want {
				t.Errorf("answers %s: got %s, want %s", tt.answers, got, tt.want)
			}
		})
	}
}

func TestCountAttempts(t *testing.T) {
	tl := tally{verdict: up}
	for range 3 {
		tl = tl.count(false, 2, limits{3, 1}, time.Time{})
	}
	if tl.verdict != down || tl.failures != 3 || tl.attempts != 6 {
		t.Errorf("after three failed checks of two attempts: %+v, want down, 3 failures, 6 attempts", tl)
	}
	if tl = tl.count(true, 1, limits{3, 1}, time.Time{}); tl.verdict != up || tl.failures != 0 || tl.attempts != 0 {
		t.Errorf("after a success: %+v, want up and nothing counted", tl)
	}
}
