package importer

import (
	"slices"
	"strings"
)

// A checkSet are the checks of one real server, all of which must succeed.
type checkSet []check

// withoutImplied returns the checks that say more than the others: a connect is part of a dialogue
// at the same place.
func (l checkSet) withoutImplied() (list checkSet) {
	spoken, seen := map[target]bool{}, map[string]bool{}
	for _, c := range l {
		spoken[c.target] = spoken[c.target] || c.rank == speaks
	}
	for _, c := range l {
		if c.rank == unchecked && len(l) > 1 || c.rank == connects && spoken[c.target] || seen[c.String()] {
			continue
		}
		seen[c.String()] = true
		list = append(list, c)
	}
	return list
}

// counted returns how many of the sets have each check, by its text.
func counted(sets ...checkSet) map[string]int {
	count := map[string]int{}
	for _, l := range sets {
		for _, c := range l {
			count[c.String()]++
		}
	}
	return count
}

// without returns the checks that are not in others, which counted has made.
func (l checkSet) without(others map[string]int) (list checkSet) {
	for _, c := range l {
		if others[c.String()] == 0 {
			list = append(list, c)
		}
	}
	return list
}

// best returns the place of the most thorough check.
func (l checkSet) best() (at int) {
	for i, c := range l {
		if c.rank > l[at].rank {
			at = i
		}
	}
	return at
}

// mostCommon is the check that most real servers have, the first of several.
func (l checkSet) mostCommon() check {
	count, best := counted(l), l[0]
	for _, c := range l {
		if count[c.String()] > count[best.String()] {
			best = c
		}
	}
	return best
}

// ownRequests reports whether checks differ only in their requests, which the lines
// of real servers can express.
func (l checkSet) ownRequests() bool {
	for _, c := range l {
		if !c.byReal || strings.Contains(c.request+c.receive, `"`) || !slices.Equal(c.shared(), l[0].shared()) {
			return false
		}
	}
	return true
}

// common returns the checks that are in all sets, none of which has one twice.
func common(sets []checkSet) (list checkSet) {
	count := counted(sets...)
	for _, c := range sets[0] {
		if count[c.String()] == len(sets) {
			list = append(list, c)
		}
	}
	return list
}

// chooseChecks shares the checks out: one is the virtual service's own, those of all real
// servers are in alsocheck, and a real server's own is in its line.
func (k *virtualReader) chooseChecks() {
	s := k.part.service
	var reals []*realServer
	var sets []checkSet
	for _, left := range []bool{false, true} { // with those left out only if there are no others
		for i, r := range s.reals {
			if r.left == left {
				reals, sets = append(reals, r), append(sets, k.checks[i])
			}
		}
		if len(reals) > 0 {
			break
		}
	}
	if len(reals) == 0 {
		s.check = []string{"checktype = on"}
		return
	}
	shared := common(sets)
	var own checkSet // of each real server
	missing := false
	ofAll := counted(shared)
	for i, r := range reals {
		rest := sets[i].without(ofAll)
		rest = slices.DeleteFunc(rest, func(c check) bool { return c.rank == unchecked })
		if len(rest) == 0 {
			own, missing = append(own, check{}), true
			continue
		}
		at := rest.best()
		own = append(own, rest[at])
		for _, c := range slices.Delete(slices.Clone(rest), at, at+1) {
			r.notes = append(r.notes, lost(c.line, "%s is not carried over: a real server has one check of its own here, and this one has %s; others are alsocheck of all real servers", c.origin, rest[at].origin))
		}
	}
	switch {
	case len(shared) == 0 && !slices.ContainsFunc(own, check.made):
		s.check = []string{"checktype = on"}
	case !slices.ContainsFunc(own, check.made): // all have the same
		at := shared.best()
		s.check = shared[at].directives()
		shared = slices.Delete(shared, at, at+1)
	case missing:
		s.check = []string{"checktype = on"}
		k.add(chosen(k.node.Line, "the checks are those of alsocheck and of the real lines, beside which checktype = on asks nothing"))
		nameChecks(reals, own, check{})
	case own.ownRequests():
		for i, r := range reals {
			r.request = own[i].pair()
		}
		s.check = own[0].shared()
	default:
		most := own.mostCommon()
		s.check = most.directives()
		nameChecks(reals, own, most)
	}
	s.also = shared
	also := counted(shared)
	for i, r := range s.reals {
		if r.left && !reals[0].left {
			k.noteLeft(r, k.checks[i].without(also))
		}
	}
}

// noteLeft adds how a real server that is left out is checked, if it is not as the virtual
// service says.
func (k *virtualReader) noteLeft(r *realServer, set checkSet) {
	s := k.part.service
	for _, c := range set {
		if !slices.Equal(c.directives(), s.check) {
			r.notes = append(r.notes, lost(c.line, "%s is checked by %s there", r.address, c.origin))
		}
	}
}

// made reports whether c is a check, and not the zero one.
func (c check) made() bool { return c.kind != nil }

// nameChecks gives each real server with another check than the virtual service's a check of
// its own.
func nameChecks(reals []*realServer, own checkSet, but check) {
	for i, c := range own {
		if c.made() && !c.is(but) {
			reals[i].check = &c
		}
	}
}
