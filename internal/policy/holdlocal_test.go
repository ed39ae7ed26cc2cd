package policy

import (
	"errors"
	"testing"
	"time"
)

func TestTrouble(t *testing.T) {
	tests := []struct {
		name    string
		results string // l is a local failure, . is none; one each second
		want    bool
	}{
		{"nothing known", "", false},
		{"a single check says nothing of us", "l", false},
		{"two do not either", "ll", false},
		{"three of three", "lll", true},
		{"half is not most", "lll...", false},
		{"more than half", "llll...", true},
		{"long ago", "llllllll..........", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr Trouble
			at := time.Unix(1_800_000_000, 0)
			for _, r := range tt.results {
				var cause error
				if r == 'l' {
					cause = errors.New("too many open files")
				}
				tr.Add(cause, at)
				at = at.Add(time.Second)
			}
			if got := tr.Ours(); got != tt.want {
				t.Errorf("results %q: ours %t, want %t", tt.results, got, tt.want)
			}
		})
	}
}
