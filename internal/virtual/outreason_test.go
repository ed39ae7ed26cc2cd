package virtual

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

// TestOutReason compares what a snapshot and an order say of a real server out of service: one state
// has one cause.
func TestOutReason(t *testing.T) {
	now := time.Now()
	over := &Maintenance{Ended: "web1", Since: now}
	disabled := &report.Override{Verb: report.Disable, By: "alice"}
	flaps := &policy.Damping{Since: now, Until: now.Add(time.Hour), Lasts: time.Hour}
	for name, tt := range map[string]struct {
		directives string
		is         func(r *Real)
		state      report.State
		out        report.OutReason
		without    string // why it stays out without its order
	}{
		"off":                      {"checktype=off", func(*Real) {}, report.StateOff, "off", "checktype = off"},
		"unchecked":                {"", func(*Real) {}, report.StateUnchecked, "unchecked", "unchecked"},
		"down":                     {"", func(r *Real) { r.Verdict = policy.Down }, report.StateDown, "check", "down"},
		"in maintenance":           {"", func(r *Real) { r.Maintenance = &Maintenance{File: "web1", Since: now} }, report.StateMaintenance, "maintenance", "in maintenance: file web1"},
		"its maintenance is over":  {"", func(r *Real) { r.Verdict, r.Maintenance = policy.Down, over }, report.StateMaintenance, "maintenance", "maintenance by file web1 is over, and no check has finished since"},
		"disabled":                 {"", func(r *Real) { r.Verdict, r.Override = policy.Up, disabled }, report.StateDisabled, "order", "virtual service is not in the kernel"},
		"disabled, down":           {"", func(r *Real) { r.Verdict, r.Override = policy.Down, disabled }, report.StateDisabled, "order", "down"},
		"disabled after a file":    {"", func(r *Real) { r.Verdict, r.Maintenance, r.Override = policy.Down, over, disabled }, report.StateDisabled, "order", "maintenance by file web1 is over, and no check has finished since"},
		"damped":                   {"flapdamping=3 in 60s", func(r *Real) { r.Verdict = policy.Down; r.Virtual.SetDamping(r, flaps) }, report.StateDamped, "damped", "damped " + dampedWords(flaps)},
		"its own answer drains it": {"", func(r *Real) { r.Verdict = policy.Up; setSelfDrain(r, &SelfDrain{Now: true, Announced: true}) }, report.StateSelfDrained, "self-drain", "virtual service is not in the kernel"},
		"its agent drained it while a file had it": {"", func(r *Real) { r.Verdict, r.Unchecked, r.Agent = policy.Up, false, 0 }, report.StateSelfDrained, "self-drain", "virtual service is not in the kernel"},
		"kept, and its agent drains it": {"", func(r *Real) {
			r.Verdict, r.Kept, r.Agent = policy.Down, true, 0
			setSelfDrain(r, &SelfDrain{Now: true, Announced: true})
		}, report.StateSelfDrained, "self-drain", "virtual service is not in the kernel"},
		"drained by it, now down":  {"", func(r *Real) { r.Verdict = policy.Down; setSelfDrain(r, &SelfDrain{Announced: true}) }, report.StateDown, "self-drain", "down"},
		"it waits for an operator": {"return=byhand", func(r *Real) { r.Verdict = policy.Up; setLeaving(r, Leaving{waiting: now}) }, report.StateWaiting, "waiting", "up, waits for an operator: ldirectord enable 10.1.0.1:80"},
		"it waits, and drains": {"return=byhand", func(r *Real) {
			r.Verdict = policy.Up
			setLeaving(r, Leaving{waiting: now})
			setSelfDrain(r, &SelfDrain{Now: true})
		}, report.StateWaiting, "waiting", "up, waits for an operator: ldirectord enable 10.1.0.1:80"},
		"weight 0 in the file":       {"", func(r *Real) { r.Verdict, r.Unchecked, r.Conf.Weight = policy.Up, false, 0 }, report.StateUp, "weight", "virtual service is not in the kernel"},
		"another program's deletion": {"", func(r *Real) { r.Verdict, r.Unchecked = policy.Up, false }, report.StateUp, "external", "virtual service is not in the kernel"},
	} {
		cfg, err := conf.Parse("t.cf", []byte("virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    "+tt.directives+"\n"), conf.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := New(cfg.Virtuals[0], 0, now).Reals[0]
		tt.is(r)
		if state, out, without := stateOf(r, r.decide()), outReason(r.decide()), r.OutWithoutOrder(); state != tt.state || out != tt.out || without != tt.without {
			t.Errorf("%s: %s, out by %q, without its order %q; want %s, %q, %q", name, state, out, without, tt.state, tt.out, tt.without)
		}
	}
}

// TestEveryReasonHasWords is that each report has words for each reason of package policy.
func TestEveryReasonHasWords(t *testing.T) {
	v := jointly(t, 1, "")
	r := v.Reals[0]
	r.Maintenance, r.Override = &Maintenance{File: "web1", Ended: "web1"}, &report.Override{Verb: report.Drain}
	r.Virtual.SetDamping(r, &policy.Damping{})
	setLeaving(r, Leaving{waiting: time.Now()})
	for reason := range policy.Reasons {
		text := reasonTexts[reason]
		if text.words == nil || text.because == nil {
			t.Errorf("reason %d has no words", reason)
			continue
		}
		inService := reason <= policy.LimitedByStart
		if words := text.words(r); (words == "") != inService || (text.out == "") != inService {
			t.Errorf("reason %d: out of service by %q: %q", reason, text.out, words)
		}
		if code, sentence := text.because(r, report.ReasonUp, "up since noon", "noon"); code == "" || sentence == "" {
			t.Errorf("reason %d: because %q: %q", reason, code, sentence)
		}
	}
}

func dampedWords(d *policy.Damping) string {
	return "until " + d.Until.Local().Format(time.DateTime) + ": it went down 3 times within 1m0s"
}
