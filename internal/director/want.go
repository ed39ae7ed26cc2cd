package director

import (
	"cmp"
	"iter"
	"math"
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/ipvs"
)

// desired is what the kernel should hold for a virtual service. A real server
// that is not in has weight 0 if the virtual service is quiescent, else no
// entry. The fallback is in while the kernel has no real server in service. Its
// slots are in room, if they find room there.
func (v *virtual) desired(room slots) held {
	list := slices.Grow(room[:0], len(v.reals)+1)
	anyIn := false
	for _, r := range v.reals {
		s, is := r.slot(), r.decide()
		switch {
		case is.In:
			s.weight, s.in = is.Weight, true
			anyIn = anyIn || !v.refuses(s.at)
		case v.conf.Quiescent || is.Drains:
			s.weight = 0
		default:
			continue
		}
		list = append(list, s)
	}
	if v.fallback != nil && !anyIn {
		list = append(list, *v.fallback)
	}
	return held{present: true, service: v.wantedService(), slots: newSlots(list)}
}

// refuses says whether the kernel did not take a destination into service, and
// has it not in service from before.
func (v *virtual) refuses(at netip.AddrPort) bool {
	if !v.refusedAt[at] {
		return false
	}
	s, _ := v.have.slots.of(at)
	return s.weight == 0 || v.have.doubt[at]
}

// serves says whether the kernel has r in service.
func (v *virtual) serves(r *real) bool {
	is := r.decide()
	if !is.In {
		return false
	}
	s, held := v.have.slots.of(r.at())
	_, byHand := v.hand[s.at]
	return held && (s.weight > 0 || byHand || is.Weight == 0)
}

// want is desired with what somebody set by hand and stays.
func (v *virtual) want(room slots) held {
	w := v.desired(room)
	for at, h := range v.hand {
		s, wanted := w.slots.of(at)
		switch {
		case h.role != ofReal && !h.absent:
			w.slots.put(h.slot)
		case !wanted || s.role == ofFallback:
		case h.absent && !s.in:
			w.slots.remove(at)
		case !h.absent && s.in:
			s.weight = h.weight
			w.slots.put(s)
		}
	}
	return w
}

// wantedService is the service itself: as configured, or as it is if no kernel
// takes it so.
func (v *virtual) wantedService() ipvs.Service {
	if v.invalid != nil && v.have.present {
		return v.have.service
	}
	return v.service
}

// hopeless says whether nothing can be done for v: no kernel takes its service.
func (v *virtual) hopeless() bool { return v.invalid != nil && !v.have.present }

// A step is one change to the kernel and what it is about.
type step struct {
	ipvs.Change
	old, new slot  // the zero slot where there was or will be none
	err      error // why the kernel did not take it, once it was asked
}

// gives reports whether a step adds or raises a destination.
func (s step) gives() bool {
	return s.Op == ipvs.AddDestination || s.Op == ipvs.EditDestination && s.new.weight >= s.old.weight
}

// takes reports whether a step lowers or deletes a destination.
func (s step) takes() bool {
	return s.Op == ipvs.DeleteDestination || s.Op == ipvs.EditDestination && s.new.weight < s.old.weight
}

// plan is how the kernel gets from have to want: what is missing is added and
// what is too light is raised before anything is lowered or deleted, so that
// there is always somewhere for a connection to go.
func plan(have, want held) []step {
	steps := planService(have, want.service)
	key := ipvs.Service{Key: want.service.Key} // settings that the kernel refuses are not to stop destinations
	var add, lower, remove []step
	change := func(op ipvs.Op, old, new slot) step {
		dst := new
		if op == ipvs.DeleteDestination {
			dst = old
		}
		return step{Change: ipvs.Change{Op: op, Service: key, Destination: dst.destination()}, old: old, new: new}
	}
	for h, w := range pairs(have.slots, want.slots) {
		switch {
		case h == nil:
			add = append(add, change(ipvs.AddDestination, slot{}, *w))
		case w == nil:
			remove = append(remove, change(ipvs.DeleteDestination, *h, slot{}))
		case h.same(*w) && (h.role == ofFallback) == (w.role == ofFallback) && !have.doubt[h.at]:
		case w.weight >= h.weight:
			add = append(add, change(ipvs.EditDestination, *h, *w))
		default:
			lower = append(lower, change(ipvs.EditDestination, *h, *w))
		}
	}
	for _, part := range [][]step{add, lower, remove} {
		slices.SortFunc(part, inFileOrder)
		steps = append(steps, part...)
	}
	return steps
}

// planService is the part of a plan that is about the service itself.
func planService(have held, want ipvs.Service) []step {
	switch {
	case !have.present:
		return []step{{Change: ipvs.Change{Op: ipvs.AddService, Service: want}}}
	case !have.service.Same(want):
		return []step{{Change: ipvs.Change{Op: ipvs.EditService, Service: want}}}
	}
	return nil
}

// pairs walks through two tables at once: what each has at an address, nil
// where it has nothing.
func pairs(have, want slots) iter.Seq2[*slot, *slot] {
	return func(yield func(h, w *slot) bool) {
		for len(have) > 0 || len(want) > 0 {
			var h, w *slot
			order := -1
			switch {
			case len(have) == 0:
				order = 1
			case len(want) > 0:
				order = have[0].at.Compare(want[0].at)
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

// inFileOrder puts real servers in the order of the file, before fallbacks and
// what is nobody's; those by address.
func inFileOrder(a, b step) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.Destination.AddrPort.Compare(b.Destination.AddrPort))
}

func (s step) rank() int {
	for _, o := range []slot{s.new, s.old} {
		if o.role == ofReal {
			return int(o.place)
		}
	}
	return math.MaxInt
}
