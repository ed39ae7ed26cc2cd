package policy

import (
	"strings"
	"testing"
	"time"
)

func TestKeep(t *testing.T) {
	went := func(second int64) Member {
		return Member{Server: Server{Agent: 100, Verdict: Down}, Serves: true, Since: time.Unix(second, 0)}
	}
	up, maintained, ordered, absent := Member{Server: Server{Agent: 100, Verdict: Up}}, went(9), went(9), went(9)
	drained, unchecked := up, Member{Server: Server{Agent: 100}}
	maintained.Maintenance, ordered.Order, absent.Serves, drained.Draining = true, Drained, false, true
	tests := map[string]struct {
		minalive int
		servers  []Member
		want     string // k is kept
	}{
		"enough are up":           {1, []Member{up, went(1)}, ".."},
		"the last to go down":     {2, []Member{went(3), up, went(5), went(4)}, "..k."},
		"self-drained":            {1, []Member{drained, went(1)}, ".k"},
		"more than there are":     {9, []Member{went(1), went(2)}, "kk"},
		"the first of equal ones": {1, []Member{went(1), went(1)}, "k."},
		"unchecked":               {1, []Member{unchecked, unchecked}, ".."},
		"out by intent":           {3, []Member{maintained, ordered, went(1)}, "..k"},
		"not in service before":   {2, []Member{absent, went(1)}, ".k"},
		"without minalive":        {0, []Member{went(1)}, "."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, kept := range (Rule{MinAlive: tt.minalive}).keep(tt.servers, 0) {
				got.WriteString(map[bool]string{false: ".", true: "k"}[kept])
			}
			if got.String() != tt.want {
				t.Errorf("kept %s, want %s", got.String(), tt.want)
			}
		})
	}
}
