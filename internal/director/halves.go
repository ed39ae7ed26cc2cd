package director

import (
	"slices"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// secondHalf is a plan whose first half was done, with a second half that fits
// to what came of that: what was to leave for a destination that the kernel did
// not take stays, and the fallback comes if no other is in service.
func (d *Director) secondHalf(v *virtual, steps []table.Step) []table.Step {
	if !v.NoteRefusals(steps) {
		return steps
	}
	done := slices.DeleteFunc(steps, table.Step.Takes)
	for _, s := range done {
		if s.Err == nil {
			v.Record(s, len(v.reals))
		}
	}
	var rest []table.Step
	for _, s := range table.Plan(v.Actual, v.want(nil)) {
		tried := slices.ContainsFunc(done, func(o table.Step) bool { return o.Change == s.Change })
		switch {
		case s.Takes():
			rest = append(rest, s)
		case s.Gives() && !tried:
			if d.kernel.Apply(&s); s.Err == nil {
				v.Record(s, len(v.reals))
			}
			done = append(done, s)
		}
	}
	v.NoteRefusals(done)
	return append(done, v.holdLast(done, rest)...)
}

// holdLast takes out of rest, the second half of a plan, the step that would take
// the last destination out of service while one that was to be in service has
// been refused.
func (v *virtual) holdLast(done, rest []table.Step) []table.Step {
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

// mayStay says whether what leaves by s may as well stay until its successor is
// in: not what an operator wants out, and a dead real server only for the
// fallback.
func (v *virtual) mayStay(s table.Step, forFallback bool) bool {
	r := v.realOf(s.Old)
	switch {
	case r == nil:
		return true
	case r.file() != "" || r.out():
		return false
	case s.Op == ipvs.EditDestination && r.Verdict == policy.Up: // weight 0 is a wish, too
		return false
	}
	return forFallback || r.Verdict != policy.Down
}

// leavesAfter says which of two is to stay: the fallback, then what is in no file,
// then the real server that went down last.
func (v *virtual) leavesAfter(s, o table.Step) bool {
	switch {
	case s.Old.Role == table.Fallback || o.Old.Role == table.Fallback:
		return s.Old.Role == table.Fallback
	case s.Old.Role == table.Foreign || o.Old.Role == table.Foreign:
		return s.Old.Role == table.Foreign
	}
	return v.realOf(s.Old).Since.After(v.realOf(o.Old).Since)
}
