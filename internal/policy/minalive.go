package policy

import (
	"cmp"
	"slices"
	"time"
)

// A Candidate is one real server of a virtual service with minalive.
type Candidate struct {
	Verdict     Verdict
	Maintenance bool // a file takes it out
	Out         bool // an operator has drained or disabled it
	Drains      bool // its own answer wants no new connections: it does not count as up
	Waits       bool // an operator is to let it in: likewise, and it stays out
	Serves      bool // it is kept already, or its checks have failed while it was in service
	Since       time.Time
}

// Keep returns which of the real servers stay in service although their checks fail, so
// that checks alone never leave a virtual service with less than minalive: those that went
// down last. A real server out of service stays out: a dead one is no help when an
// operator takes another one out.
func Keep(minalive int, servers []Candidate) []bool {
	var down []int
	for i, s := range servers {
		switch {
		case s.Maintenance || s.Waits || s.Verdict == Unchecked || s.Verdict == Up && s.Drains:
		case s.Verdict == Up:
			minalive--
		case s.Out: // also when the order ends, as it is dead
		case s.Serves:
			down = append(down, i)
		}
	}
	slices.SortStableFunc(down, func(a, b int) int { return cmp.Compare(servers[b].Since.UnixNano(), servers[a].Since.UnixNano()) })
	kept := make([]bool, len(servers))
	for _, i := range down[:min(len(down), max(0, minalive))] {
		kept[i] = true
	}
	return kept
}

// keep returns which of the members minalive keeps. Backup servers are never kept; those in
// service make up for real servers.
func (r Rule) keep(members []Member, b Backups) []bool {
	minalive := r.MinAlive
	var reals []Candidate
	for _, m := range members {
		switch {
		case !m.Backup:
			out := m.Order == Drained || m.Order == Disabled
			reals = append(reals, Candidate{Verdict: m.Verdict, Maintenance: m.Maintenance, Out: out, Drains: m.drainsItself(), Waits: m.Waits, Serves: m.Serves, Since: m.Since})
		case b == BackupsNeeded && m.Up():
			minalive--
		}
	}
	ofReals := Keep(minalive, reals)
	kept := make([]bool, 0, len(members))
	for _, m := range members {
		if m.Backup {
			kept = append(kept, false)
			continue
		}
		kept, ofReals = append(kept, ofReals[0]), ofReals[1:]
	}
	return kept
}
