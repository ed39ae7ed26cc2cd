package director

import (
	"slices"

	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// secondHalf is a plan whose first half was done, with a second half that fits
// to what came of that: what was to leave for a destination that the kernel did
// not take stays, and the fallback comes if no other is in service.
func (d *Director) secondHalf(v *virtual.Service, steps []table.Step) []table.Step {
	if !v.NoteRefusals(steps) {
		return steps
	}
	done := slices.DeleteFunc(steps, table.Step.Takes)
	for _, s := range done {
		if s.Err == nil {
			v.Record(s, len(v.Reals))
		}
	}
	var rest []table.Step
	for _, s := range table.Plan(v.Actual, v.Want(nil)) {
		tried := slices.ContainsFunc(done, func(o table.Step) bool { return o.Change == s.Change })
		switch {
		case s.Takes():
			rest = append(rest, s)
		case s.Gives() && !tried:
			if d.kernel.Apply(&s); s.Err == nil {
				v.Record(s, len(v.Reals))
			}
			done = append(done, s)
		}
	}
	v.NoteRefusals(done)
	return append(done, v.HoldLast(done, rest)...)
}
