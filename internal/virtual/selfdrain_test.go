package virtual

import (
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
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
			d.By = []Drainer{{Check: checks[0]}}
			setSelfDrain(r, &d)
			TakeDrain(r, false, true, "", time.Now())
			r.Verdict = policy.Up
			if !r.Drains() {
				t.Errorf("%s, checks: %d: up again it does not drain", name, len(checks))
			}
		}
	}
}

// TestWhyDownAfterSelfDrain has real servers that are down say so, whatever checks they have.
func TestWhyDownAfterSelfDrain(t *testing.T) {
	for name, lines := range map[string]string{"one check": "", "an agent beside it": "    agentport=9707\n", "several checks": "    alsocheck=app\n"} {
		text := "check=app\n    checktype=ping\nvirtual=10.0.0.1:80\n    service=http\n    httpdrain=404\n    real=10.1.0.1:80 masq\n" + lines
		c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
		if err != nil {
			t.Fatal(err)
		}
		r := New(c.Virtuals[0], 0, time.Now()).Reals[0]
		r.Checks = []*Check{{}}
		r.Verdict, r.Unchecked = policy.Down, false
		setSelfDrain(r, &SelfDrain{Since: time.Now(), Announced: true})
		if code, words := r.becauseOfChecks(r.decide().Reason, "noon"); code != report.ReasonDown || !strings.HasPrefix(words, "down since noon, after its own answer had drained it at ") {
			t.Errorf("%s: %s: %q does not say that its own answer had drained it", name, code, words)
		}
	}
}
