package director

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// sync brings the kernel to the desired state of vs and reports the changes. It adds
// and raises, for all of them, before it lowers and deletes: when a rack dies, this
// takes a few requests to the kernel. A service that turns out to be missing is put back
// at once.
func (rc *reconciler) sync(vs ...*virtual.Service) {
	if slices.ContainsFunc(vs, isUnread) {
		vs = slices.DeleteFunc(slices.Clone(vs), isUnread)
	}
	plans := make([][]table.Step, len(vs))
	for i, v := range vs {
		plans[i] = rc.planFor(v)
	}
	rc.kernel.ApplyAll(plans, table.Step.Gives)
	for i, v := range vs {
		plans[i] = rc.secondHalf(v, plans[i])
	}
	rc.kernel.ApplyAll(plans, table.Step.Takes)
	var lost []*virtual.Service
	for i, v := range vs {
		wasPresent := v.Actual.Present
		for _, s := range plans[i] {
			rc.conclude(v, s)
		}
		v.EndRefusals()
		if wasPresent && !v.Actual.Present {
			lost = append(lost, v)
			continue
		}
		rc.report(v)
	}
	if len(lost) > 0 {
		rc.sync(lost...) // puts them back; one that is not present is not lost again
	}
}

// planFor changes the service itself if needed, and returns the plan for v with
// that step. The plan counts on changes that the kernel has refused before: secondHalf
// corrects it when they are refused again. A service that the kernel does not have gets no
// destinations; one whose settings no kernel takes keeps its own, and gets them.
func (rc *reconciler) planFor(v *virtual.Service) []table.Step {
	v.Retry = false
	clear(v.Refused)
	v.DoubtRefusals()
	rc.judge(v)
	if v.Invalid != nil {
		rc.refused(v, "virtual service "+v.Name, fmt.Errorf("virtual service %s: %w", v.Name, v.Invalid))
	}
	if v.Hopeless() {
		return nil
	}
	steps := table.Plan(v.Actual, v.Want(nil))
	if len(steps) == 0 || steps[0].Gives() || steps[0].Takes() {
		return steps
	}
	rc.kernel.Apply(&steps[0])
	if steps[0].Err != nil && steps[0].Op == ipvs.AddService {
		return steps[:1]
	}
	return steps
}

// apply does one step and reports it.
func (rc *reconciler) apply(v *virtual.Service, s table.Step) {
	rc.kernel.Apply(&s)
	rc.conclude(v, s)
}

// conclude records and reports the result of a step. Afterwards the believed state
// is the kernel's, whatever the result.
func (rc *reconciler) conclude(v *virtual.Service, s table.Step) {
	if errors.Is(s.Err, ipvs.ErrNoService) {
		if v.Retry = true; v.Actual.Present { // no cause of an outage: it is put back at once
			rc.repair(v, removed("virtual service "+v.Name)+putBack)
			v.Forget()
		}
		return
	}
	if errors.Is(s.Err, fs.ErrNotExist) && s.Op == ipvs.EditDestination && s.Destination.Weight == 0 {
		// As in the original, a dead real server that an external change deleted is not
		// put back just to have weight 0, unless readdquiescent is set.
		v.Actual.Slots.Remove(s.Destination.AddrPort)
		v.Respect(s.Destination.AddrPort, table.External{Absent: true})
		return
	}
	if s.Err != nil {
		v.Failed(s)
		rc.refused(v, s.Change.String(), s.Err)
		return
	}
	v.Record(s, len(v.Reals))
	r := v.RealOf(s.New)
	if s.Op == ipvs.DeleteDestination {
		r = v.RealOf(s.Old)
	}
	for _, e := range rc.eventsOf(v, s) {
		e.Expected = r != nil && e.Real != nil && virtual.Expects(v, r)
		rc.emit(v, e)
	}
}

// eventsOf is what a step that the kernel has taken means.
func (rc *reconciler) eventsOf(v *virtual.Service, s table.Step) []event.Event {
	switch s.Op {
	case ipvs.AddService:
		return []event.Event{{Kind: event.VirtualAdded}}
	case ipvs.AddDestination, ipvs.EditDestination:
		if r := v.RealOf(s.New); r != nil && r.Reached < 100 && s.Old.Weight > 0 && s.New.Weight > 0 {
			return nil // one of the steps up (slowstart); the last is reported
		}
		if r := v.RealOf(s.New); r != nil && virtual.WithAgent(r) && s.Old.At == s.New.At && s.Old.Role == table.Real && s.Old.Weight == s.New.Weight {
			return nil // its agent allows more connections or fewer
		}
		events := []event.Event{rc.placed(v, s)}
		if s.Old.Role == table.Fallback && s.New.Role != table.Fallback { // one address for both
			events = append(events, v.FallbackEvent(event.FallbackDeleted, s))
		}
		return events
	case ipvs.DeleteDestination:
		return []event.Event{virtual.Removed(v, s)}
	default: // VirtualChanged is reported once for each reload, VirtualPurged by stop
		return nil
	}
}

// placed is the event of a destination that was added or changed.
func (rc *reconciler) placed(v *virtual.Service, s table.Step) event.Event {
	r := v.RealOf(s.New)
	switch {
	case s.New.Role == table.Fallback:
		e := v.FallbackEvent(event.FallbackAdded, s)
		e.Mapped = ""
		return e
	case r == nil: // an external change to put back
		return event.Event{Kind: event.Repaired, Reason: s.Change.String()}
	case s.Destination.Weight == 0 && r.Conf.Weight > 0:
		kind := event.RealQuiesced
		if s.Op == ipvs.AddDestination && rc.conf.ReaddQuiescent {
			kind = event.RealReaddQuiesced
		}
		return virtual.RealEvent(kind, r, s)
	case s.Op == ipvs.AddDestination:
		e := virtual.RealEvent(event.RealAdded, r, s)
		e.Mapped = ""
		return e
	default:
		return virtual.RealEvent(event.RealRestored, r, s)
	}
}

// refused reports what the kernel did not take, once until it does.
func (rc *reconciler) refused(v *virtual.Service, what string, err error) {
	if v.NoteLogged(virtual.Notice{Kind: virtual.Refusal, Text: what}) {
		rc.emit(v, event.Event{Kind: event.Refused, Reason: err.Error()})
	}
}

// report reports the verdicts that the kernel now knows, and whether v has lost
// its last real server or got its first one back.
func (rc *reconciler) report(v *virtual.Service) {
	virtual.NoteServing(v)
	for _, e := range v.News {
		virtual.Complete(v, &e)
		rc.emit(v, e)
	}
	v.News = nil
	reportJoint(rc, v)
	rc.reportFallback(v)
	rc.endFirst(v, false)
	rc.reportServed(v)
}

// reportFallback reports whether v needs its fallback: as in the original, from
// the start on until the first real server is in.
func (rc *reconciler) reportFallback(v *virtual.Service) {
	need := !slices.ContainsFunc(v.Reals, v.Serves) || virtual.FallbackBeside(v)
	switch {
	case need && v.FallbackState != virtual.FallbackOn:
		v.FallbackState = virtual.FallbackOn
		rc.emit(v, event.Event{Kind: event.FallbackOn})
	case !need && v.FallbackState == virtual.FallbackOn:
		v.FallbackState = virtual.FallbackOff
		rc.emit(v, event.Event{Kind: event.FallbackOff})
	}
}

// reportEnd reports that a virtual service that has left the table has no fallback in charge and no quorum any more.
func (rc *reconciler) reportEnd(v *virtual.Service) {
	if v.FallbackState == virtual.FallbackOn {
		v.FallbackState = virtual.FallbackOff
		rc.emit(v, event.Event{Kind: event.FallbackOff})
	}
	if virtual.EndQuorum(v) {
		rc.emit(v, event.Event{Kind: event.QuorumOver})
	}
}

// emit completes an event with what all of v's events share and hands it on.
func (rc *reconciler) emit(v *virtual.Service, e event.Event) {
	e.Time, e.Status = rc.now(), rc.status
	e.Virtual, e.V, e.ID = v.Conf, v.Name, v.ID
	if !e.Kind.Silent() {
		rc.history.Add(&e)
	}
	rc.sink(e)
}

// secondHalf returns a plan whose first half was done, with a second half that fits
// the results: a destination stays if the kernel refused its successor, and the
// fallback comes if no other destination is in service.
func (rc *reconciler) secondHalf(v *virtual.Service, steps []table.Step) []table.Step {
	if !v.NoteRefusals(steps) {
		return steps
	}
	done := slices.DeleteFunc(steps, table.Step.Takes)
	for _, s := range done {
		if s.Err == nil {
			v.Record(s, len(v.Reals))
		}
	}
	var rest []table.Step
	for _, s := range table.Plan(v.Actual, v.Want(nil)) {
		tried := slices.ContainsFunc(done, func(o table.Step) bool { return o.Change == s.Change })
		switch {
		case s.Takes():
			rest = append(rest, s)
		case s.Gives() && !tried:
			if rc.kernel.Apply(&s); s.Err == nil {
				v.Record(s, len(v.Reals))
			}
			done = append(done, s)
		}
	}
	v.NoteRefusals(done)
	return append(done, v.HoldLast(done, rest)...)
}
