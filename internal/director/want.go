package director

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"ldirectord/ipvs"
)

// desired is what the kernel should hold for a virtual service. A real server
// that is not in has weight 0 if the virtual service is quiescent, else no
// entry. The fallback is in while no real server is.
func (v *virtual) desired() held {
	w := held{present: true, service: v.service, slots: make(map[netip.AddrPort]slot, len(v.reals)+1)}
	anyIn := false
	for _, r := range v.reals {
		s := slot{Destination: r.dst, real: r}
		switch {
		case r.in():
			s.Weight = r.weight()
			anyIn = true
		case v.conf.Quiescent || r.draining():
			s.Weight = 0
		default:
			continue
		}
		w.slots[s.AddrPort] = s
	}
	if v.fallback != nil && !anyIn {
		w.slots[v.fallback.AddrPort] = slot{Destination: *v.fallback, fallback: true}
	}
	return w
}

// want is desired with what somebody set by hand left as it is.
func (v *virtual) want() held {
	w := v.desired()
	if v.handService != nil {
		w.service = *v.handService
	}
	for at, h := range v.hand {
		s := w.slots[at]
		if h.absent {
			delete(w.slots, at)
			continue
		}
		s.Destination = h.Destination
		w.slots[at] = s
	}
	return w
}

// A step is one change to the kernel and what it is about.
type step struct {
	ipvs.Change
	old, new slot // the zero slot where there was or will be none
}

// plan is how the kernel gets from have to want: what is missing is added and
// what is too light is raised before anything is lowered or deleted, so that
// there is always somewhere for a connection to go.
func plan(have, want held) []step {
	var service, add, lower, remove []step
	switch {
	case !have.present:
		service = append(service, step{Change: ipvs.Change{Op: ipvs.AddService, Service: want.service}})
	case !have.service.Same(want.service):
		service = append(service, step{Change: ipvs.Change{Op: ipvs.EditService, Service: want.service}})
	}
	for at, w := range want.slots {
		h, ok := have.slots[at]
		s := step{Change: ipvs.Change{Service: want.service, Destination: w.Destination}, old: h, new: w}
		switch {
		case !ok:
			s.Op = ipvs.AddDestination
			add = append(add, s)
		case h.Same(w.Destination) && h.fallback == w.fallback:
		case w.Weight >= h.Weight:
			s.Op = ipvs.EditDestination
			add = append(add, s)
		default:
			s.Op = ipvs.EditDestination
			lower = append(lower, s)
		}
	}
	for at, h := range have.slots {
		if _, ok := want.slots[at]; !ok {
			c := ipvs.Change{Op: ipvs.DeleteDestination, Service: want.service, Destination: h.Destination}
			remove = append(remove, step{Change: c, old: h})
		}
	}
	for _, steps := range [][]step{add, lower, remove} {
		slices.SortFunc(steps, inFileOrder)
	}
	return slices.Concat(service, add, lower, remove)
}

// inFileOrder puts real servers in the order of the file, before fallbacks and
// what is nobody's; those by address.
func inFileOrder(a, b step) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.Destination.AddrPort.Compare(b.Destination.AddrPort))
}

func (s step) rank() int {
	for _, r := range []*real{s.new.real, s.old.real} {
		if r != nil {
			return r.order
		}
	}
	return math.MaxInt
}
