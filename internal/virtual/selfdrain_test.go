package virtual

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
)

// A self-drain lasts until a normal answer. A failure beside another check that is down
// does not end it: the other check may bring the real server up first.
func TestSelfDrainOutlivesAFailure(t *testing.T) {
	for name, test := range map[string]struct {
		checks []*Check
		lasts  bool
	}{
		"one check":  {checks: []*Check{{}}}, // its next good answer decides
		"two checks": {checks: []*Check{{}, {}}, lasts: true},
	} {
		r := &Real{Virtual: &Service{}, Checks: test.checks}
		r.Verdict = policy.Down
		setSelfDrain(r, &SelfDrain{Now: true, Announced: true, By: test.checks[0]})
		HearDrain(r, false, true, "", time.Now())
		r.Verdict = policy.Up
		if got := r.Drains(); got != test.lasts {
			t.Errorf("%s: up again it drains: %v, want %v", name, got, test.lasts)
		}
	}
}
