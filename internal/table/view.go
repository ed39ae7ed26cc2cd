package table

import (
	"net/netip"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A View is the knowledge of one virtual service in the kernel's table. The maps are nil
// until they are needed.
type View struct {
	Actual   State                       // what the kernel is believed to hold
	External map[netip.AddrPort]External // external changes that stay
	Refused  map[netip.AddrPort]bool     // what the kernel did not take into service when it was last tried
	Doubt    map[netip.AddrPort]bool     // failed changes since the table was last read: they may have been made all the same
	Unread   bool                        // whether the kernel has it is unknown, as the table could not be read
	Retry    bool                        // a refused change is to be tried again
}

// An External is a destination as an external change has left it: the weight of a real server
// in service, a foreign one, or a dead one deleted.
type External struct {
	Slot
	Absent bool
}

// Respect lets an external change stay.
func (v *View) Respect(at netip.AddrPort, h External) {
	if v.External == nil {
		v.External = map[netip.AddrPort]External{}
	}
	v.External[at] = h
}

// Forget drops all belief in what the kernel holds.
func (v *View) Forget() {
	v.Actual = State{}
	clear(v.External)
}

// Matches reports whether the kernel has the believed state.
func (v *View) Matches(e *ipvs.Entry) bool {
	if !v.Actual.Present || !e.Service.Same(v.Actual.Service) || len(e.Destinations) != len(v.Actual.Slots) {
		return false
	}
	for i := range e.Destinations {
		found := slotOf(e.Destinations[i])
		if s, ok := v.Actual.Slots.Of(found.At); !ok || !s.Same(found) {
			return false
		}
	}
	return true
}

// Record notes a step that the kernel has taken. size is how many destinations there will be.
func (v *View) Record(s Step, size int) {
	h := &v.Actual
	switch s.Op {
	case ipvs.AddService, ipvs.EditService:
		h.Present, h.Service = true, s.Service
	case ipvs.DeleteService:
		*h = State{}
	case ipvs.AddDestination, ipvs.EditDestination:
		delete(h.Doubt, s.Destination.AddrPort)
		if h.Slots == nil {
			h.Slots = make(Slots, 0, size)
		}
		h.Slots.Put(s.New)
	case ipvs.DeleteDestination:
		delete(h.Doubt, s.Destination.AddrPort)
		h.Slots.Remove(s.Destination.AddrPort)
	}
}

// Failed notes a step that the kernel has refused. It is tried again.
func (v *View) Failed(s Step) {
	v.Retry = true
	at := s.Destination.AddrPort
	if !at.IsValid() {
		return // of the service itself
	}
	if v.Doubt == nil {
		v.Doubt = map[netip.AddrPort]bool{}
	}
	v.Doubt[at] = true
	if !s.Takes() || s.New.Weight > 0 { // it is in service with either weight
		return
	}
	if v.Actual.Doubt == nil {
		v.Actual.Doubt = map[netip.AddrPort]bool{}
	}
	v.Actual.Doubt[at] = true
}

// NoteRefusals notes which destinations the kernel did not take into service. It
// reports whether there are any.
func (v *View) NoteRefusals(steps []Step) (refused bool) {
	for _, s := range steps {
		if !s.Gives() || s.Err == nil {
			continue
		}
		if v.Refused == nil {
			v.Refused = map[netip.AddrPort]bool{}
		}
		v.Refused[s.Destination.AddrPort], refused = true, true
	}
	return refused
}

// Refuses reports whether the kernel did not take a destination into service, and
// has it not in service from before.
func (v *View) Refuses(at netip.AddrPort) bool {
	if !v.Refused[at] {
		return false
	}
	s, _ := v.Actual.Slots.Of(at)
	return s.Weight == 0 || v.Actual.Doubt[at]
}

// With returns a desired state with the external changes that stay. It may change the slots
// of desired.
func (v *View) With(desired State) State {
	for at, h := range v.External {
		s, wanted := desired.Slots.Of(at)
		switch {
		case h.Role != Real && !h.Absent:
			desired.Slots.Put(h.Slot)
		case !wanted || s.Role == Fallback:
		case h.Absent && !s.In:
			desired.Slots.Remove(at)
		case !h.Absent && s.In:
			s.Weight = h.Weight
			desired.Slots.Put(s)
		}
	}
	return desired
}
