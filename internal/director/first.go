package director

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// announce reports the unchecked real servers of v. The
// original gives each of them its weight and takes it out again at once, and
// scripts that read its log expect these lines. Here the kernel never gets an
// unchecked real server; only the lines are the same. last has the last
// identity of each real server: the original remembers one for each address.
func (rc *reconciler) announce(v *virtual.Service, last *virtual.LastReals) {
	if !v.Actual.Present {
		return // the kernel has refused it
	}
	f := v.StandIn()
	for _, r := range v.Reals {
		if r.Verdict != policy.Unchecked || r.Conf.Backup || !last.Is(r) { // the original has no backup servers
			continue
		}
		r.Announced = true
		for _, k := range v.Beginnings(r, rc.conf.ReaddQuiescent) {
			if k != event.RealDeleted && k != event.RealQuiesced {
				rc.announceFallback(v, f, true)
			}
			rc.emit(v, r.Beginning(k))
			rc.announceFallback(v, f, false)
		}
	}
	if f.Held {
		rc.announceFallback(v, f, true)
	}
}

// announceFallback reports that the fallback comes or goes, if it is the other
// way round so far.
func (rc *reconciler) announceFallback(v *virtual.Service, f *virtual.StandIn, in bool) {
	if !f.Announced || f.In == in {
		return
	}
	f.In = in
	e := v.FallbackEvent(event.FallbackDeleted, table.Step{Change: ipvs.Change{Destination: v.Fallback.Destination()}})
	if in {
		e.Kind, e.Mapped = event.FallbackAdded, ""
	}
	rc.emit(v, e)
}

// awaitFirst begins the first checks of v if it, or one of its real servers, is
// new. Those that are under way since the start or an earlier reload go on.
func (rc *reconciler) awaitFirst(v *virtual.Service) {
	isNew := v.Served == virtual.ServedUnknown && v.FallbackState == virtual.FallbackNever
	if v.First == nil && (isNew || slices.ContainsFunc(v.Reals, (*virtual.Real).Awaited)) {
		v.First = &virtual.FirstChecks{Phase: "reloaded", Until: rc.now().Add(policy.FirstBound(v.Conf))}
		if rc.status == conf.Starting {
			v.First.Phase = "started"
		}
	}
	if v.First != nil {
		rc.awaiting++
		v.First.Replaced = v.Served == virtual.Served && !slices.ContainsFunc(v.Reals, v.Serves)
	}
}

// endFirst reports the first checks of v when all of them have ended, or in any
// case if they are late.
func (rc *reconciler) endFirst(v *virtual.Service, late bool) {
	if v.First == nil || !late && slices.ContainsFunc(v.Reals, (*virtual.Real).Awaited) {
		return
	}
	phase := v.First.Phase
	v.First = nil
	rc.awaiting--
	rc.emit(v, event.Event{Kind: event.Started, Phase: phase, Reason: v.FirstWords()})
}

// endLateFirsts reports the first checks of the virtual services whose bound is
// over.
func (rc *reconciler) endLateFirsts(now time.Time) {
	if rc.awaiting == 0 {
		return
	}
	for _, v := range rc.virtuals {
		if v.First != nil && !now.Before(v.First.Until) {
			rc.endFirst(v, true)
			rc.reportServed(v)
		}
	}
}

// noteChecked notes that a check of r has finished. Where it is the first one that
// its virtual service waits for, the virtual service is synced when all results are in.
func (rc *reconciler) noteChecked(r *virtual.Real, res *checks.Result) {
	if !r.Unchecked || res.Local || !virtual.SeveralOf(r).NoteFinished(res.Check) {
		return
	}
	noteDecided(rc, r)
}

// noteDecided notes that it is known what the first checks of r have found.
func noteDecided(rc *reconciler, r *virtual.Real) {
	r.Unchecked = false
	if r.Virtual.First != nil {
		rc.touch(r.Virtual)
	}
}

// reportServed reports that v has lost its last real server, or got the first
// one back. As long as an unchecked one may be up, neither is known.
func (rc *reconciler) reportServed(v *virtual.Service) {
	rc.addresses.Look(v, rc.now())
	before := v.Served
	if slices.ContainsFunc(v.Reals, v.Serves) {
		v.Served = virtual.Served
		if v.First != nil {
			v.First.Replaced = false
		}
		if before == virtual.NoneServed {
			rc.emit(v, v.WithFallback(event.Event{Kind: event.AnyBack, Down: rc.now().Sub(v.Outage.Since), Cause: v.Outage.Came}, false))
		}
		v.Outage = virtual.Outage{}
		return
	}
	switch {
	case before == virtual.NoneServed:
		return
	case before == virtual.ServedUnknown && slices.ContainsFunc(v.Reals, (*virtual.Real).Awaited), v.First != nil && v.First.Replaced:
		return
	}
	v.Served, v.Outage.Since = virtual.NoneServed, rc.now()
	if before == virtual.Served || slices.ContainsFunc(v.Reals, func(r *virtual.Real) bool { return r.Verdict == policy.Down }) {
		rc.emit(v, v.WithFallback(event.Event{Kind: event.AllGone, Cause: v.Outage.Left}, true))
	}
}
