package director

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// keep keeps real servers in service whose checks fail, as policy.Keep decides, and logs each.
// A real server that an external change has given a weight is not kept. A kept one stays kept
// when an external change deletes it or sets its weight: the change is put back or respected,
// as with a real server that is up.
func (rc *reconciler) keep(v *virtual.Service) {
	minalive := v.Conf.MinAlive.Of(len(v.Reals))
	if minalive == 0 {
		for _, r := range v.Reals {
			r.Kept, r.Leaves = false, false // by the configuration before
		}
		return
	}
	candidates := make([]policy.Candidate, len(v.Reals))
	for i, r := range v.Reals {
		candidates[i] = policy.Candidate{Verdict: r.Verdict, Maintenance: r.File() != "", Out: r.Out(), Serves: r.Kept || r.Leaves, Since: r.Since}
		r.Leaves = false
	}
	var fresh []*virtual.Real
	for i, kept := range policy.Keep(minalive, candidates) {
		r := v.Reals[i]
		if kept && !r.Kept {
			fresh = append(fresh, r)
		}
		r.Kept = kept
	}
	slices.SortStableFunc(fresh, func(a, b *virtual.Real) int { return cmp.Compare(b.Since.UnixNano(), a.Since.UnixNano()) })
	for _, r := range fresh {
		rc.emit(v, event.Event{Kind: event.Kept, Real: r.Conf, R: r.Name(), Reason: fmt.Sprintf("%d of %d", minalive, len(v.Reals))})
	}
}
