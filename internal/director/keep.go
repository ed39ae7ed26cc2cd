package director

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// keep keeps real servers in service whose checks fail, as policy.Keep decides, and logs each.
// A real server that an external change has given a weight is not kept. A kept one stays kept
// when an external change deletes it or sets its weight: that is put back or respected, as of
// one that is up.
func (d *Director) keep(v *virtual) {
	minalive := v.conf.MinAlive.Of(len(v.reals))
	if minalive == 0 {
		for _, r := range v.reals {
			r.kept, r.leaves = false, false // by the configuration before
		}
		return
	}
	candidates := make([]policy.Candidate, len(v.reals))
	for i, r := range v.reals {
		candidates[i] = policy.Candidate{Verdict: r.Verdict, Maintenance: r.file() != "", Out: r.out(), Serves: r.kept || r.leaves, Since: r.Since}
		r.leaves = false
	}
	var fresh []*real
	for i, kept := range policy.Keep(minalive, candidates) {
		r := v.reals[i]
		if kept && !r.kept {
			fresh = append(fresh, r)
		}
		r.kept = kept
	}
	slices.SortStableFunc(fresh, func(a, b *real) int { return cmp.Compare(b.Since.UnixNano(), a.Since.UnixNano()) })
	for _, r := range fresh {
		d.emit(v, event.Event{Kind: event.Kept, Real: r.conf, R: r.name(), Reason: fmt.Sprintf("%d of %d", minalive, len(v.reals))})
	}
}

const keptWords = "stays in service: minalive"

// keeps reports whether a real server stays in service although its checks fail.
func (v *virtual) keeps(c *conf.RealServer) bool {
	return v.conf.MinAlive.Of(len(v.reals)) > 0 && slices.ContainsFunc(v.reals, func(r *real) bool { return r.conf == c && r.kept })
}

// carries reports whether the kernel sends r new connections.
func (v *virtual) carries(r *real) bool {
	s, _ := v.Actual.Slots.Of(r.at())
	return s.Weight > 0
}
