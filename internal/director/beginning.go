package director

import (
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// announce reports the unchecked real servers of v. The
// original gives each of them its weight and takes it out again at once, and
// scripts that read its log expect these lines. Here the kernel never has
// an unproven real server in; only the lines are the same. last has the last
// identity of each real server: the original remembers one for each address.
func (rc *reconciler) announce(v *virtual.Service, last *virtual.LastReals) {
	if !v.Actual.Present {
		return // the kernel has refused it
	}
	f := v.StandIn()
	for _, r := range v.Reals {
		if r.Verdict != policy.Unchecked || !last.Is(r) {
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
