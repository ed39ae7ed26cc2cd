package policy

import (
	"strings"
	"testing"
	"time"
)

func TestKeep(t *testing.T) {
	went := func(second int64) Candidate {
		return Candidate{Verdict: Down, Serves: true, Since: time.Unix(second, 0)}
	}
	up, maintained, ordered, absent := Candidate{Verdict: Up}, went(9), went(9), went(9)
	maintained.Maintenance, ordered.Out, absent.Serves = true, true, false
	tests := map[string]struct {
		minalive int
		servers  []Candidate
		want     string // k is kept
	}{
		"enough are up":           {1, []Candidate{up, went(1)}, ".."},
		"the last to go down":     {2, []Candidate{went(3), up, went(5), went(4)}, "..k."},
		"self-drained":            {1, []Candidate{{Verdict: Up, Drains: true}, went(1)}, ".k"},
		"more than there are":     {9, []Candidate{went(1), went(2)}, "kk"},
		"the first of equal ones": {1, []Candidate{went(1), went(1)}, "k."},
		"unchecked":               {1, []Candidate{{}, {}}, ".."},
		"out by intent":           {3, []Candidate{maintained, ordered, went(1)}, "..k"},
		"not in service before":   {2, []Candidate{absent, went(1)}, ".k"},
		"without minalive":        {0, []Candidate{went(1)}, "."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, kept := range Keep(tt.minalive, tt.servers) {
				got.WriteString(map[bool]string{false: ".", true: "k"}[kept])
			}
			if got.String() != tt.want {
				t.Errorf("kept %s, want %s", got.String(), tt.want)
			}
		})
	}
}
