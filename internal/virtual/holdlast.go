package virtual

import (
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// HoldLast takes out of rest, the second half of a plan, the step that would take
// the last destination out of service while one that was to be in service has
// been refused.
func (v *Service) HoldLast(done, rest []table.Step) []table.Step {
	refused := func(s table.Step) bool { return s.Gives() && s.Err != nil && s.New.Weight > 0 }
	if !slices.ContainsFunc(done, refused) {
		return rest
	}
	for _, s := range v.Actual.Slots {
		leaves := func(o table.Step) bool { return o.Destination.AddrPort == s.At && o.New.Weight == 0 }
		if s.Weight > 0 && !slices.ContainsFunc(rest, leaves) {
			return rest
		}
	}
	fallback := slices.ContainsFunc(done, func(s table.Step) bool { return refused(s) && s.New.Role == table.Fallback })
	last := -1
	for i, s := range rest {
		if s.Old.Weight > 0 && v.mayStay(s, fallback) && (last < 0 || v.leavesAfter(s, rest[last])) {
			last = i
		}
	}
	if last < 0 {
		return rest
	}
	return slices.Delete(rest, last, last+1)
}

// mayStay reports whether what leaves by s may as well stay until its successor is
// in: not what an operator wants out, and a dead real server only for the
// fallback.
func (v *Service) mayStay(s table.Step, forFallback bool) bool {
	may := func(r *Real) bool {
		switch {
		case r.File() != "" || r.Out():
			return false
		case s.Op == ipvs.EditDestination && r.Verdict == policy.Up: // weight 0 is a wish, too
			return false
		}
		return forFallback || r.Verdict != policy.Down
	}
	r := v.RealOf(s.Old)
	if r == nil || may(r) {
		return true
	}
	// Another real server with the same entry may be the one that was in service.
	return r.Conf.Forward != conf.Masq && slices.ContainsFunc(v.Reals, func(o *Real) bool { return o.At() == r.At() && may(o) })
}

// leavesAfter says which of two is to stay: the fallback, then an entry of no file,
// then the real server that went down last.
func (v *Service) leavesAfter(s, o table.Step) bool {
	switch {
	case s.Old.Role == table.Fallback || o.Old.Role == table.Fallback:
		return s.Old.Role == table.Fallback
	case s.Old.Role == table.Foreign || o.Old.Role == table.Foreign:
		return s.Old.Role == table.Foreign
	}
	return v.RealOf(s.Old).Since.After(v.RealOf(o.Old).Since)
}
