package director

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// keep holds real servers in whose checks fail, so that checks alone never
// leave a virtual service with less than minalive. Those that went down last
// stay, and the log says so of each. Who is out already stays out: a dead real
// server is no help when an operator takes another one out, nor is one that somebody
// has given a weight in the table. Who is kept stays kept when somebody deletes it
// there, or sets its weight: that is put back or respected as with one that is up.
func (d *Director) keep(v *virtual) {
	short := v.conf.MinAlive.Of(len(v.reals))
	if short == 0 {
		for _, r := range v.reals {
			r.kept, r.leaves = false, false // by the configuration before
		}
		return
	}
	var candidates []*real
	for _, r := range v.reals {
		leaves := r.leaves
		r.leaves = false
		switch {
		case r.file() != "" || r.verdict == unproven:
			r.kept = false
		case r.verdict == up:
			r.kept = false
			short--
		case r.out():
			r.kept = false // also when the order ends: it is dead
		case r.kept || leaves:
			candidates = append(candidates, r)
		}
	}
	slices.SortStableFunc(candidates, func(a, b *real) int { return cmp.Compare(b.since.UnixNano(), a.since.UnixNano()) })
	for i, r := range candidates {
		was := r.kept
		r.kept = i < short
		if r.kept && !was {
			d.emit(v, event.Event{Kind: event.Kept, Real: r.conf, R: r.name(), Reason: fmt.Sprintf("%d of %d", v.conf.MinAlive.Of(len(v.reals)), len(v.reals))})
		}
	}
}

const keptWords = "stays in service: minalive"

// keeps says whether a real server whose checks fail is held in.
func (v *virtual) keeps(c *conf.RealServer) bool {
	return v.conf.MinAlive.Of(len(v.reals)) > 0 && slices.ContainsFunc(v.reals, func(r *real) bool { return r.conf == c && r.kept })
}

// carries says whether the kernel gives r connections.
func (v *virtual) carries(r *real) bool {
	s, _ := v.Actual.Slots.Of(r.at())
	return s.Weight > 0
}
