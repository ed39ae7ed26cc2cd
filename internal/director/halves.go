package director

import (
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/ipvs"
)

// secondHalf is a plan whose first half was done, with a second half that fits
// to what came of that: what was to leave for a destination that the kernel did
// not take stays, and the fallback comes if no other is in service.
func (d *Director) secondHalf(v *virtual, steps []step) []step {
	if !v.noteRefusals(steps) {
		return steps
	}
	done := slices.DeleteFunc(steps, step.takes)
	for _, s := range done {
		if s.err == nil {
			v.record(s)
		}
	}
	var rest []step
	for _, s := range plan(v.have, v.want(nil)) {
		tried := slices.ContainsFunc(done, func(o step) bool { return o.Change == s.Change })
		switch {
		case s.takes():
			rest = append(rest, s)
		case s.gives() && !tried:
			if d.change(&s); s.err == nil {
				v.record(s)
			}
			done = append(done, s)
		}
	}
	v.noteRefusals(done)
	return append(done, v.holdLast(done, rest)...)
}

// noteRefusals notes which destinations the kernel did not take into service. It
// reports whether there are any.
func (v *virtual) noteRefusals(steps []step) (refused bool) {
	for _, s := range steps {
		if !s.gives() || s.err == nil {
			continue
		}
		if v.refusedAt == nil {
			v.refusedAt = map[netip.AddrPort]bool{}
		}
		v.refusedAt[s.Destination.AddrPort], refused = true, true
	}
	return refused
}

// holdLast takes out of rest, the second half of a plan, the step that would take
// the last destination out of service while one that was to be in service has
// been refused.
func (v *virtual) holdLast(done, rest []step) []step {
	refused := func(s step) bool { return s.gives() && s.err != nil && s.new.weight > 0 }
	if !slices.ContainsFunc(done, refused) {
		return rest
	}
	for _, s := range v.have.slots {
		leaves := func(o step) bool { return o.Destination.AddrPort == s.at && o.new.weight == 0 }
		if s.weight > 0 && !slices.ContainsFunc(rest, leaves) {
			return rest
		}
	}
	fallback := slices.ContainsFunc(done, func(s step) bool { return refused(s) && s.new.role == ofFallback })
	last := -1
	for i, s := range rest {
		if s.old.weight > 0 && v.mayStay(s, fallback) && (last < 0 || v.leavesAfter(s, rest[last])) {
			last = i
		}
	}
	if last < 0 {
		return rest
	}
	return slices.Delete(rest, last, last+1)
}

// mayStay says whether what leaves by s may as well stay until its successor is
// in: not what an operator wants out, and a dead real server only for the
// fallback.
func (v *virtual) mayStay(s step, forFallback bool) bool {
	r := v.realOf(s.old)
	switch {
	case r == nil:
		return true
	case r.file() != "" || r.out():
		return false
	case s.Op == ipvs.EditDestination && r.verdict == up: // weight 0 is a wish, too
		return false
	}
	return forFallback || r.verdict != down
}

// leavesAfter says which of two is to stay: the fallback, then what is in no file,
// then the real server that went down last.
func (v *virtual) leavesAfter(s, o step) bool {
	switch {
	case s.old.role == ofFallback || o.old.role == ofFallback:
		return s.old.role == ofFallback
	case s.old.role == foreign || o.old.role == foreign:
		return s.old.role == foreign
	}
	return v.realOf(s.old).since.After(v.realOf(o.old).since)
}
