package director

import (
	"slices"

	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// desired is what the kernel should hold for a virtual service. A real server
// that is not in has weight 0 if the virtual service is quiescent, else no
// entry. The fallback is in while the kernel has no real server in service. Its
// slots are in room, if they find room there.
func (v *virtual) desired(room table.Slots) table.State {
	list := slices.Grow(room[:0], len(v.reals)+1)
	anyIn := false
	for _, r := range v.reals {
		s, is := r.slot(), r.decide()
		switch {
		case is.In:
			s.Weight, s.In = is.Weight, true
			anyIn = anyIn || !v.Refuses(s.At)
		case v.conf.Quiescent || is.Drains:
			s.Weight = 0
		default:
			continue
		}
		list = append(list, s)
	}
	if v.fallback != nil && !anyIn {
		list = append(list, *v.fallback)
	}
	return table.State{Present: true, Service: v.wantedService(), Slots: table.NewSlots(list)}
}

// serves says whether the kernel has r in service.
func (v *virtual) serves(r *real) bool {
	is := r.decide()
	if !is.In {
		return false
	}
	s, held := v.Actual.Slots.Of(r.at())
	_, byHand := v.External[s.At]
	return held && (s.Weight > 0 || byHand || is.Weight == 0)
}

// want returns what the kernel is to hold of v: desired, with the external changes that
// stay. Its slots are in room, if they find room there.
func (v *virtual) want(room table.Slots) table.State { return v.With(v.desired(room)) }

// wantedService is the service itself: as configured, or as it is if no kernel
// takes it so.
func (v *virtual) wantedService() ipvs.Service {
	if v.invalid != nil && v.Actual.Present {
		return v.Actual.Service
	}
	return v.service
}

// hopeless says whether nothing can be done for v: no kernel takes its service.
func (v *virtual) hopeless() bool { return v.invalid != nil && !v.Actual.Present }
