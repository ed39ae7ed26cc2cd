package virtual

import (
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Desired is what the kernel should hold for a virtual service. A real server
// out of service has weight 0 if the virtual service is quiescent, else no
// entry. The fallback is in while the kernel has no real server in service. Its
// slots are in room, if they find room there.
func (v *Service) Desired(room table.Slots) table.State {
	list := slices.Grow(room[:0], len(v.Reals)+1)
	anyIn := false
	for _, r := range v.Reals {
		s, is := r.slot(), r.decide()
		switch {
		case is.In:
			s.Weight, s.In = is.Weight, true
			anyIn = anyIn || !v.Refuses(s.At)
		case is.Stays:
			s.Weight = 0
		default:
			continue
		}
		list = append(list, s)
	}
	if needsFallback(v, anyIn) {
		list = append(list, *v.Fallback)
	}
	return table.State{Present: true, Service: v.WantedService(), Slots: table.NewSlots(list)}
}

// Serves reports whether the kernel has r in service.
func (v *Service) Serves(r *Real) bool {
	is := r.decide()
	if !is.In {
		return false
	}
	s, held := v.Actual.Slots.Of(r.At())
	_, byHand := v.External[s.At]
	return held && (s.Weight > 0 || byHand || is.Weight == 0)
}

// SharesService reports whether another real server that is the same entry of the kernel
// as r is in service.
func (v *Service) SharesService(r *Real) bool {
	return slices.ContainsFunc(v.Reals, func(o *Real) bool { return o != r && o.At() == r.At() && o.In() })
}

// Want returns what the kernel is to hold of v: desired, with the external changes that
// stay. Its slots are in room, if they find room there.
func (v *Service) Want(room table.Slots) table.State { return v.With(v.Desired(room)) }

// WantedService is the service itself: as configured, or as it is if no kernel
// takes it so.
func (v *Service) WantedService() ipvs.Service {
	if v.Invalid != nil && v.Actual.Present {
		return v.Actual.Service
	}
	return v.Service
}

// Hopeless reports whether nothing can be done for v: no kernel takes its service.
func (v *Service) Hopeless() bool { return v.Invalid != nil && !v.Actual.Present }

// keptWords are added to the words of a real server that minalive keeps.
const keptWords = "stays in service: minalive"

// keeps reports whether a real server stays in service although its checks fail.
func (v *Service) keeps(c *conf.RealServer) bool {
	return v.Joint.rule.MinAlive > 0 && slices.ContainsFunc(v.Reals, func(r *Real) bool { return r.Conf == c && r.Kept })
}

// Carries reports whether the kernel sends r new connections.
func (v *Service) Carries(r *Real) bool {
	s, _ := v.Actual.Slots.Of(r.At())
	return s.Weight > 0
}

// fallbackIn reports whether the kernel sends connections to the fallback of v, which has one.
func fallbackIn(v *Service) bool {
	s, _ := v.Actual.Slots.Of(v.Fallback.At)
	return s.Role == table.Fallback && s.Weight > 0
}
