package director

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
)

// firstChecks are those of the real servers of a virtual service that a start or
// a reload has added. Until they have ended, it is unknown which of these work:
// one Started event then tells it, and none before.
type firstChecks struct {
	phase string    // "started" or "reloaded"
	until time.Time // when the event comes at the latest
}

// awaitFirst begins the first checks of v if it, or one of its real servers, is
// new. Those that are under way since the start or an earlier reload go on.
func (d *Director) awaitFirst(v *virtual) {
	isNew := v.served == unknown && v.fallbackState == fallbackNever
	if v.first == nil && (isNew || slices.ContainsFunc(v.reals, (*real).awaited)) {
		_, bound := policy.DownBounds(v.conf)
		v.first = &firstChecks{phase: "reloaded", until: d.now().Add(bound)}
		if d.status == conf.Starting {
			v.first.phase = "started"
		}
	}
	if v.first != nil {
		d.awaiting++
		v.replaced = v.served == isServed && !slices.ContainsFunc(v.reals, v.serves)
	}
}

// awaited says whether the first check of r is still to end. A real server that
// is out by intent is not waited for.
func (r *real) awaited() bool {
	if r.file() != "" || r.out() {
		return false
	}
	switch r.virtual.conf.CheckType {
	case conf.CheckOff:
		return false
	case conf.CheckOn:
		return r.Verdict != policy.Up
	}
	return r.unchecked
}

// endFirst reports the first checks of v when all of them have ended, or in any
// case if they are late.
func (d *Director) endFirst(v *virtual, late bool) {
	if v.first == nil || !late && slices.ContainsFunc(v.reals, (*real).awaited) {
		return
	}
	phase := v.first.phase
	v.first, v.replaced = nil, false
	d.awaiting--
	d.emit(v, event.Event{Kind: event.Started, Phase: phase, Reason: v.firstWords()})
}

// endLateFirsts reports the first checks of the virtual services whose bound is
// over.
func (d *Director) endLateFirsts(now time.Time) {
	if d.awaiting == 0 {
		return
	}
	for _, v := range d.virtuals {
		if v.first != nil && !now.Before(v.first.until) {
			d.endFirst(v, true)
			d.reportServed(v)
		}
	}
}

// mostNamed is how many real servers one line names in each of its lists.
const mostNamed = 20

// firstWords are what the first checks of v have found out: "48 of 50 in
// service; out: 10.1.0.7:80 (connection refused)".
func (v *virtual) firstWords() string {
	in := 0
	var out, unchecked []string
	for _, r := range v.reals {
		why := ""
		if v.serves(r) && v.carries(r) {
			in++
		} else {
			why = r.outWords()
		}
		switch {
		case r.awaited():
			unchecked = append(unchecked, r.name())
		case why != "":
			out = append(out, r.name()+" ("+why+")")
		}
	}
	return fmt.Sprintf("%d of %d in service", in, len(v.reals)) + named("; out: ", out) + named("; unchecked: ", unchecked)
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

// noteChecked notes that a check of r has finished. Where it is the first one that
// its virtual service waits for, this is looked at when all is heard.
func (d *Director) noteChecked(r *real, res *result) {
	if !r.unchecked || res.Local {
		return
	}
	r.unchecked = false
	if r.virtual.first != nil {
		d.touch(r.virtual)
	}
}

// outWords say why r is out of service.
func (r *real) outWords() string {
	if r.file() == "" && r.out() {
		return r.override.String()
	}
	return r.outWithoutOrder()
}

// outWithoutOrder says why r is out of service, or would be without its order.
func (r *real) outWithoutOrder() string {
	v := r.virtual
	switch {
	case r.file() != "":
		return "in maintenance: file " + r.file()
	case v.conf.CheckType == conf.CheckOff && r.Verdict == policy.Unchecked:
		return "checktype = off"
	case r.maintenanceOver():
		return "maintenance by file " + r.maintenance.ended + " is over, and no check has finished since"
	case r.Verdict == policy.Unchecked:
		return "unchecked"
	case r.Verdict == policy.Down && !r.kept:
		return r.lastError()
	case v.invalid != nil:
		return "refused by the kernel: " + v.invalid.Error()
	case !v.Actual.Present:
		return "virtual service is not in the kernel"
	case v.Refused[r.at()]:
		return "refused by the kernel"
	case r.decide().Reason == policy.DrainedByAgent:
		return "its agent wants no new connections"
	case r.weight() == 0:
		return "weight 0"
	}
	return "not in the kernel"
}

// lastError is why the last check of r failed.
func (r *real) lastError() string {
	if r.check != nil {
		for _, o := range r.check.past.Outcomes() {
			if err := o.Err(); err != nil && !o.Local() {
				return err.Error()
			}
		}
	}
	return "down"
}

// reportServed reports that v has lost its last real server, or got the first
// one back. As long as an unchecked one may be up, neither is known.
func (d *Director) reportServed(v *virtual) {
	before := v.served
	if slices.ContainsFunc(v.reals, v.serves) {
		v.served, v.replaced = isServed, false
		if before == allGone {
			d.emit(v, v.withFallback(event.Event{Kind: event.AnyBack, Down: d.now().Sub(v.outage.since), Cause: v.outage.came}, false))
		}
		v.outage = outage{}
		return
	}
	switch {
	case before == allGone:
		return
	case before == unknown && slices.ContainsFunc(v.reals, (*real).awaited), v.replaced && v.first != nil:
		return
	}
	v.served, v.outage.since = allGone, d.now()
	if before == isServed || slices.ContainsFunc(v.reals, func(r *real) bool { return r.Verdict == policy.Down }) {
		d.emit(v, v.withFallback(event.Event{Kind: event.AllGone, Cause: v.outage.left}, true))
	}
}

// withFallback is an event with the fallback, which the table is to have in
// service or not; if the kernel has refused that, this is what e says instead.
func (v *virtual) withFallback(e event.Event, inService bool) event.Event {
	if v.fallback == nil {
		return e
	}
	if s, _ := v.Actual.Slots.Of(v.fallback.At); (s.Role == table.Fallback && s.Weight > 0) == inService {
		e.Fallback = v.fallbackName()
		return e
	}
	e.Reason = "fallback " + v.fallbackName() + " is still in the table"
	if inService {
		e.Reason = "fallback " + v.fallbackName() + " is not in the table"
	}
	return e
}
