package virtual

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
)

// A self-drain lasts until a normal answer, and no failure ends it: another check may bring the real
// server up before that answer, also one that a reload has added.
func TestSelfDrainOutlivesAFailure(t *testing.T) {
	for name, before := range map[string]SelfDrain{
		"drained while it was up":   {Now: true, Announced: true},
		"drained while it was down": {Now: true},
	} {
		for _, checks := range [][]*Check{{{}}, {{}, {}}} {
			r := &Real{Virtual: &Service{}, Checks: checks}
			r.Verdict = policy.Down
			d := before
			d.By = checks[0]
			setSelfDrain(r, &d)
			HearDrain(r, false, true, "", time.Now())
			r.Verdict = policy.Up
			if !r.Drains() {
				t.Errorf("%s, checks: %d: up again it does not drain", name, len(checks))
			}
		}
	}
}
