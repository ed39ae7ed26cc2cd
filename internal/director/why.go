package director

import (
	"context"
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
)

// Why says of each real server that is meant why it is where it is. The error
// is ctx's or ErrNotConfigured.
func (d *Director) Why(ctx context.Context, name, virtual string) ([]report.Reason, error) {
	var reasons []report.Reason
	err := d.do(ctx, func() {
		for _, r := range d.meant(name, virtual) {
			reasons = append(reasons, r.why(d.now()))
		}
	})
	if err == nil && len(reasons) == 0 {
		err = report.NotConfigured(name, virtual)
	}
	return reasons, err
}

func (r *real) why(now time.Time) report.Reason {
	w := report.Reason{Virtual: r.virtual.id, Real: r.name(), State: r.word(), Because: r.because(), Answers: []report.Answer{}}
	w.Availability = report.AvailabilityOf(r.history(), now)
	if w.State != report.StateUnchecked {
		w.Since = r.stateSince(w.State)
	}
	if r.check == nil {
		return w
	}
	w.Interval = report.InSeconds(r.check.pace())
	for _, o := range r.check.past.Outcomes() {
		w.Answers = append(w.Answers, r.check.answer(o))
	}
	return w
}

// because says in a sentence what decides about the real server.
func (r *real) because() string {
	state := r.word()
	since := r.stateSince(state).Local().Format(time.DateTime)
	switch {
	case r.file() != "":
		return "the maintenance directory has the file " + r.file() + " since " + since
	case state == report.StateDrained, state == report.StateDisabled:
		return "an operator ordered since " + since + ": " + r.override.String()
	case r.maintenanceOver():
		return "maintenance by file " + r.maintenance.ended + " is over, and the next check decides; out since " + since
	case r.kept && r.Verdict == policy.Down:
		return r.becauseOfChecks(since) + "; it " + keptWords
	case r.override != nil:
		return r.becauseOfChecks(since) + "; ordered: " + r.override.String()
	}
	return r.becauseOfChecks(since)
}

// becauseOfChecks says in a sentence what the checks of a real server have come to.
func (r *real) becauseOfChecks(since string) string {
	limits := r.virtual.limits
	switch {
	case r.check == nil:
		return "nothing is asked (checktype = " + r.virtual.conf.CheckType.String() + ")"
	case r.unchecked && r.in():
		return "no check of it has finished yet: it is in service as it was found in the kernel"
	case r.Verdict == policy.Unchecked:
		return "no check of it has finished yet"
	case r.Verdict == policy.Up && r.Failures > 0:
		return fmt.Sprintf("up since %s, but the last %d of %d checks failed that make it down", since, r.Failures, limits.Fall)
	case r.Verdict == policy.Up:
		return "up since " + since
	case r.Successes > 0:
		return fmt.Sprintf("down since %s; %d of %d good checks that make it up were made", since, r.Successes, limits.Rise)
	}
	return fmt.Sprintf("down since %s, after %d failed checks in a row", since, r.Failures)
}

// answer is an outcome as it is shown.
func (c *check) answer(o record.Outcome) report.Answer {
	asked := c.ask
	if o.Connect() {
		asked = c.rare.connect
	}
	a := report.Answer{
		Time: o.Time(), Asked: c.kit.Secrets.Hide(asked.String()), Up: o.Err() == nil, Local: o.Local(),
		Text: o.Words(), Attempts: o.Attempts(), Took: report.InSeconds(o.Took()),
	}
	if sent, received := o.Exchange(); sent != nil || received != nil {
		a.Sent, a.Received = c.kit.Sent(sent), c.kit.Secrets.HideIn(received)
	}
	return a
}

// Recheck has the real servers that are meant asked now, and says how many
// checks that are.
func (d *Director) Recheck(ctx context.Context, name, virtual string) (int, error) {
	n := 0
	var found bool
	err := d.do(ctx, func() {
		seen := map[*check]bool{}
		var checks []*check
		for _, r := range d.meant(name, virtual) {
			found = true
			if r.check != nil && !seen[r.check] {
				seen[r.check] = true
				checks = append(checks, r.check)
			}
		}
		d.checks.soon(checks...)
		n = len(checks)
	})
	if err == nil && !found {
		err = report.NotConfigured(name, virtual)
	}
	return n, err
}
