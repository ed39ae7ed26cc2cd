package virtual

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// FirstChecks are those of the real servers of a virtual service that a start or
// a reload has added. Until they have ended, it is unknown which of these work:
// one Started event then reports it, and none before.
type FirstChecks struct {
	Phase    string    // "started" or "reloaded"
	Until    time.Time // when the event comes at the latest
	Replaced bool      // a reload took out those that were in service
}

// Awaited reports whether the first check of r is still to end. A real server that
// is out by intent is not waited for.
func (r *Real) Awaited() bool {
	if r.File() != "" || r.Out() {
		return false
	}
	switch {
	case NeverChecked(r):
		return false
	case IsOn(r):
		return r.Verdict != policy.Up
	}
	return r.Unchecked
}

// mostNamed is how many real servers one line names in each of its lists.
const mostNamed = 20

// FirstWords are what the first checks of v have found out: "48 of 50 in
// service; out: 10.1.0.7:80 (connection refused)".
func (v *Service) FirstWords() string {
	in, all := 0, len(v.Reals)
	var out, unchecked, idle []string
	for _, r := range v.Reals {
		why := ""
		if v.Serves(r) && v.Carries(r) {
			in++
		} else {
			why = r.whyOut()
		}
		switch {
		case why == backupIdle:
			idle, all = append(idle, r.Name()), all-1
		case r.Awaited():
			unchecked = append(unchecked, r.Name())
		case why != "":
			out = append(out, r.Name()+" ("+why+")")
		}
	}
	return fmt.Sprintf("%d of %d in service", in, all) + named("; out: ", out) + named("; unchecked: ", unchecked) + named("; backup, not needed: ", idle)
}

// named is a list of names behind a heading, "" for no names.
func named(heading string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	words := heading + strings.Join(names[:min(len(names), mostNamed)], ", ")
	if more := len(names) - mostNamed; more > 0 {
		words += fmt.Sprintf(", and %d more", more)
	}
	return words
}

// whyOut returns why r is out of service.
func (r *Real) whyOut() string { return r.outWords(r.decide()) }

// OutWithoutOrder returns why r is out of service, or would be without its order to be so.
func (r *Real) OutWithoutOrder() string {
	s := serverOf(r)
	if r.Out() {
		s.Order = policy.NoOrder
	}
	return r.outWords(policy.Decide(s))
}

// outWords are why r is out of service by a decision, or else why the kernel does not have it so.
func (r *Real) outWords(is policy.Decision) string {
	v, words := r.Virtual, reasonTexts[is.Reason].words(r)
	switch {
	case words != "" && is.Reason != policy.DrainedByItself: // whose entry the kernel is to have
		return words
	case v.Invalid != nil:
		return "refused by the kernel: " + v.Invalid.Error()
	case !v.Actual.Present:
		return "virtual service is not in the kernel"
	case v.Refused[r.At()]:
		return "refused by the kernel"
	case words != "":
		return words
	case is.Weight == 0:
		return "weight 0"
	}
	return "not in the kernel"
}

// LastError is why the last check of r failed, "down" if unknown.
func (r *Real) LastError() string {
	if SeveralOf(r) != nil {
		return SeveralOf(r).lastError()
	}
	for _, c := range r.Checks {
		if err := c.lastError(); err != "" {
			return err
		}
	}
	return "down"
}

// WithFallback is an event with the fallback, which the table is to have in
// service or not; if the kernel has refused that, e reports this instead.
func (v *Service) WithFallback(e event.Event, inService bool) event.Event {
	if v.Fallback == nil {
		return e
	}
	if fallbackIn(v) == inService {
		e.Fallback = v.FallbackName()
		return e
	}
	e.Reason = "fallback " + v.FallbackName() + " is still in the table"
	if inService {
		e.Reason = "fallback " + v.FallbackName() + " is not in the table"
	}
	return e
}
