package policy

import (
	"testing"
	"time"
)

func TestCount(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	tests := []struct {
		name    string
		from    Verdict
		limits  Limits
		answers string // + is a good one, - a bad one
		want    string // the verdict after each: ? unproven, u up, d down
	}{
		{"the first answer decides for the unproven", Unchecked, Limits{3, 3}, "+", "u"},
		{"also the bad one", Unchecked, Limits{3, 3}, "-", "d"},
		{"one failure is enough by default", Up, Limits{1, 1}, "+-+", "udu"},
		{"failures count in a row", Up, Limits{3, 1}, "--+--+---", "uuuuuuuud"},
		{"successes count in a row", Down, Limits{1, 3}, "++-++-+++", "ddddddddu"},
		{"a failure after coming back counts anew", Down, Limits{2, 2}, "++-+--", "duuuud"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now, got := start, ""
			tl := Tally{Verdict: tt.from, Since: start}
			for _, answer := range tt.answers {
				now = now.Add(time.Second)
				before := tl
				tl = tl.Count(answer == '+', 1, tt.limits, now)
				got += string("?ud"[tl.Verdict])
				if changed := tl.Verdict != before.Verdict; changed != tl.Since.Equal(now) {
					t.Errorf("after %d answers the verdict is since %v, changed at %v: %t", len(got), tl.Since, now, changed)
				}
			}
			if got != tt.want {
				t.Errorf("answers %s: got %s, want %s", tt.answers, got, tt.want)
			}
		})
	}
}

func TestCountAttempts(t *testing.T) {
	tl := Tally{Verdict: Up}
	for range 3 {
		tl = tl.Count(false, 2, Limits{3, 1}, time.Time{})
	}
	if tl.Verdict != Down || tl.Failures != 3 || tl.Attempts != 6 {
		t.Errorf("after three failed checks of two attempts: %+v, want down, 3 failures, 6 attempts", tl)
	}
	if tl = tl.Count(true, 1, Limits{3, 1}, time.Time{}); tl.Verdict != Up || tl.Failures != 0 || tl.Attempts != 0 {
		t.Errorf("after a success: %+v, want up and nothing counted", tl)
	}
}
