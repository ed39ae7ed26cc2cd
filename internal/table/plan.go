package table

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A Step is one change of the kernel's table, with the destination before and after.
type Step struct {
	ipvs.Change
	Old, New Slot  // the zero slot where there was or will be none
	Err      error // why the kernel has refused it
}

// Gives reports whether a step adds or raises a destination.
func (s Step) Gives() bool {
	return s.Op == ipvs.AddDestination || s.Op == ipvs.EditDestination && s.New.Weight >= s.Old.Weight
}

// Takes reports whether a step lowers or deletes a destination.
func (s Step) Takes() bool {
	return s.Op == ipvs.DeleteDestination || s.Op == ipvs.EditDestination && s.New.Weight < s.Old.Weight
}

// Plan returns the steps from the actual to the desired state. Missing destinations are
// added and weights are raised before any is lowered or deleted, so that clients always
// find a destination.
func Plan(have, want State) []Step {
	steps := PlanService(have, want.Service)
	key := ipvs.Service{Key: want.Service.Key} // settings that the kernel refuses are not to stop destinations
	var add, lower, remove []Step
	change := func(op ipvs.Op, old, new Slot) Step {
		dst := new
		if op == ipvs.DeleteDestination {
			dst = old
		}
		return Step{Change: ipvs.Change{Op: op, Service: key, Destination: dst.Destination()}, Old: old, New: new}
	}
	for h, w := range pairs(have.Slots, want.Slots) {
		switch {
		case h == nil:
			add = append(add, change(ipvs.AddDestination, Slot{}, *w))
		case w == nil:
			remove = append(remove, change(ipvs.DeleteDestination, *h, Slot{}))
		case h.Same(*w) && (h.Role == Fallback) == (w.Role == Fallback) && !have.Doubt[h.At]:
		case have.Doubt[h.At] && w.Weight > 0: // it may be missing: nothing leaves for it before it is sure to be in
			unsure := *h
			unsure.Weight = 0
			add = append(add, change(ipvs.EditDestination, unsure, *w))
		case w.Weight >= h.Weight:
			add = append(add, change(ipvs.EditDestination, *h, *w))
		default:
			lower = append(lower, change(ipvs.EditDestination, *h, *w))
		}
	}
	for _, part := range [][]Step{add, lower, remove} {
		slices.SortFunc(part, inFileOrder)
		steps = append(steps, part...)
	}
	return steps
}

// PlanService returns the step for the service itself, if there is one.
func PlanService(have State, want ipvs.Service) []Step {
	switch {
	case !have.Present:
		return []Step{{Change: ipvs.Change{Op: ipvs.AddService, Service: want}}}
	case !have.Service.Same(want):
		return []Step{{Change: ipvs.Change{Op: ipvs.EditService, Service: want}}}
	}
	return nil
}

// pairs yields what two tables have at each address, nil for none.
func pairs(have, want Slots) iter.Seq2[*Slot, *Slot] {
	return func(yield func(h, w *Slot) bool) {
		for len(have) > 0 || len(want) > 0 {
			var h, w *Slot
			order := -1
			switch {
			case len(have) == 0:
				order = 1
			case len(want) > 0:
				order = have[0].At.Compare(want[0].At)
			}
			if order <= 0 {
				h, have = &have[0], have[1:]
			}
			if order >= 0 {
				w, want = &want[0], want[1:]
			}
			if !yield(h, w) {
				return
			}
		}
	}
}

// inFileOrder compares by the place in the file. The fallback and foreign destinations
// come last, by address.
func inFileOrder(a, b Step) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.Destination.AddrPort.Compare(b.Destination.AddrPort))
}

func (s Step) rank() int {
	for _, o := range []Slot{s.New, s.Old} {
		if o.Role == Real {
			return int(o.Place)
		}
	}
	return math.MaxInt
}
