package report

import (
	"strings"

	"github.com/ldirectord/ldirectord/ipvs"
)

// ForeignReal returns the state of a destination that no configuration names.
func ForeignReal(dst *ipvs.Destination) RealState {
	at := dst.AddrPort.String()
	s := RealState{RealName: RealName{Name: at, At: at}, State: StateForeign}
	s.Hold(dst)
	return s
}

// Hold copies the kernel's part of the state from dst.
func (s *RealState) Hold(dst *ipvs.Destination) {
	s.Present, s.Forward, s.Weight = true, dst.Forward.Listed(), dst.Weight
	s.Active, s.Inactive, s.Persistent, s.Stats = dst.Active, dst.Inactive, dst.Persistent, dst.Stats
}

// ForeignVirtual returns the state of a foreign service.
func ForeignVirtual(e *ipvs.Entry) VirtualState {
	name := strings.Join(strings.Fields(e.Service.Key.Listed()), " ")
	s := VirtualState{
		ID: name, Name: name, Listed: e.Service.Listed(), Kernel: e.Service.Key.Listed(),
		Foreign: true, Present: true, Stats: e.Stats, Reals: make([]RealState, 0, len(e.Destinations)),
	}
	for i := range e.Destinations {
		s.Reals = append(s.Reals, ForeignReal(&e.Destinations[i]))
	}
	return s
}
