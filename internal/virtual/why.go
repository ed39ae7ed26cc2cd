package virtual

import (
	"fmt"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
)

// Why returns why r is in service or out of it.
func (r *Real) Why(now time.Time) report.Reason {
	is := r.decide()
	w := report.Reason{Virtual: r.Virtual.ID, Real: r.Name(), State: stateOf(r, is), Answers: []report.Answer{}}
	if conf.IsName(r.Conf.Host) {
		w.Host = r.Conf.Host
	}
	w.Code, w.Because = r.because(is)
	w.Because += quiescentWords(r)
	w.Availability = report.AvailabilityOf(historyOf(r), now)
	if w.State != report.StateUnchecked && w.State != report.StateOff {
		w.Since = r.stateSince(w.State)
	}
	if SeveralOf(r) != nil {
		w.Several = SeveralOf(r).states()
	}
	for i, c := range r.Checks {
		if i == 0 {
			w.Interval = report.InSeconds(c.Pace())
		}
		for _, o := range c.Past.Outcomes() {
			a := c.answer(o)
			if p := SeveralOf(r).part(c); p != nil {
				a.Check, a.Silent = p.label(), p.isSilent(o)
				a.Nonsense = a.Silent && o.Detail() != ""
			}
			w.Answers = append(w.Answers, a)
		}
	}
	if len(r.Checks) > 1 {
		slices.SortStableFunc(w.Answers, func(a, b report.Answer) int { return b.Time.Compare(a.Time) })
	}
	return w
}

// becauseOfChecks returns the result of the checks of a real server in a code and a
// sentence. reason is that of the decision on it.
func (r *Real) becauseOfChecks(reason policy.Reason, since string) (report.ReasonCode, string) {
	limits := r.Virtual.Limits
	switch {
	case reason == policy.DrainedByItself:
		return report.ReasonSelfDrained, r.SelfDrain().words() + "; up, and without new connections since " + since
	case SeveralOf(r) != nil:
		return SeveralOf(r).because(since)
	case len(r.Checks) == 0:
		return report.ReasonNotChecked, "nothing is asked (checktype = " + r.Virtual.Conf.CheckType.String() + ")"
	case r.Unchecked && r.In():
		return report.ReasonAsFound, "no check of it has finished yet: it is in service as it was found in the kernel"
	case r.Verdict == policy.Unchecked:
		return report.ReasonUnchecked, "no check of it has finished yet"
	case r.Verdict == policy.Up && r.Failures > 0:
		return report.ReasonFailing, fmt.Sprintf("up since %s, but the last %d of %d checks failed that make it down", since, r.Failures, limits.Fall)
	case r.Verdict == policy.Up:
		return report.ReasonUp, "up since " + since
	case r.Successes > 0:
		return report.ReasonRecovering, fmt.Sprintf("%s; %d of %d good checks that make it up were made", downWords(r, since), r.Successes, limits.Rise)
	case r.SelfDrain().was():
		return report.ReasonDown, downWords(r, since)
	}
	return report.ReasonDown, "down since " + since + failedWords("; its", r.Failures)
}

// failedWords are that the last n checks failed. The count goes on while a real server is down, and may begin again: n is not
// how many took it out. whose is whose checks they are, "" is the result for none.
func failedWords(whose string, n int32) string {
	switch n {
	case 0:
		return ""
	case 1:
		return whose + " last check failed"
	}
	return fmt.Sprintf("%s last %d checks failed", whose, n)
}

// downWords are since when r is down, and that its own answer had drained it before.
func downWords(r *Real, since string) string {
	words := "down since " + since
	if d := r.SelfDrain(); d.was() {
		words += ", after its own answer had drained it at " + d.Since.Local().Format(time.DateTime)
	}
	return words
}

// answer is an outcome as it is shown.
func (c *Check) answer(o record.Outcome) report.Answer {
	asked := c.Ask
	if o.Connect() {
		asked = c.Rare.Connect
	}
	a := report.Answer{
		Time: o.Time(), Asked: c.Kit.Secrets.Hide(asked.String()), Up: o.Err() == nil, Local: o.Local(),
		Text: o.Words(), Attempts: o.Attempts(), Took: report.InSeconds(o.Took()),
	}
	if sent, received := o.Exchange(); sent != nil || received != nil {
		a.Sent, a.Received = c.Kit.Sent(sent), c.Kit.Secrets.HideIn(received)
	}
	return a
}
