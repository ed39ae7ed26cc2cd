package director

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// awaitFirst begins the first checks of v if it, or one of its real servers, is
// new. Those that are under way since the start or an earlier reload go on.
func (rc *reconciler) awaitFirst(v *virtual.Service) {
	isNew := v.Served == virtual.ServedUnknown && v.FallbackState == virtual.FallbackNever
	if v.First == nil && (isNew || slices.ContainsFunc(v.Reals, (*virtual.Real).Awaited)) {
		_, bound := policy.DownBounds(v.Conf)
		v.First = &virtual.FirstChecks{Phase: "reloaded", Until: rc.now().Add(bound)}
		if rc.status == conf.Starting {
			v.First.Phase = "started"
		}
	}
	if v.First != nil {
		rc.awaiting++
		v.Replaced = v.Served == virtual.Served && !slices.ContainsFunc(v.Reals, v.Serves)
	}
}

// endFirst reports the first checks of v when all of them have ended, or in any
// case if they are late.
func (rc *reconciler) endFirst(v *virtual.Service, late bool) {
	if v.First == nil || !late && slices.ContainsFunc(v.Reals, (*virtual.Real).Awaited) {
		return
	}
	phase := v.First.Phase
	v.First, v.Replaced = nil, false
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
	if !r.Unchecked || res.Local {
		return
	}
	r.Unchecked = false
	if r.Virtual.First != nil {
		rc.touch(r.Virtual)
	}
}

// reportServed reports that v has lost its last real server, or got the first
// one back. As long as an unchecked one may be up, neither is known.
func (rc *reconciler) reportServed(v *virtual.Service) {
	before := v.Served
	if slices.ContainsFunc(v.Reals, v.Serves) {
		v.Served, v.Replaced = virtual.Served, false
		if before == virtual.NoneServed {
			rc.emit(v, v.WithFallback(event.Event{Kind: event.AnyBack, Down: rc.now().Sub(v.Outage.Since), Cause: v.Outage.Came}, false))
		}
		v.Outage = virtual.Outage{}
		return
	}
	switch {
	case before == virtual.NoneServed:
		return
	case before == virtual.ServedUnknown && slices.ContainsFunc(v.Reals, (*virtual.Real).Awaited), v.Replaced && v.First != nil:
		return
	}
	v.Served, v.Outage.Since = virtual.NoneServed, rc.now()
	if before == virtual.Served || slices.ContainsFunc(v.Reals, func(r *virtual.Real) bool { return r.Verdict == policy.Down }) {
		rc.emit(v, v.WithFallback(event.Event{Kind: event.AllGone, Cause: v.Outage.Left}, true))
	}
}
