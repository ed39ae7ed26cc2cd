// Package table compares what the kernel's IPVS table should hold with what it holds,
// and makes it so: State and Plan are pure, Kernel carries plans out.
package table

import (
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A State is what the kernel holds, or should hold, of one virtual service.
type State struct {
	Present bool
	Service ipvs.Service
	Slots   Slots

	// Doubt is what may have left: a change that takes it out of service failed,
	// and may have been made all the same. Nil until then.
	Doubt map[netip.AddrPort]bool
}

// A Slot is a destination and its role. It leaves out the counters of an
// ipvs.Destination, which for thousands of real servers would be most of a director's
// memory.
type Slot struct {
	At           netip.AddrPort
	Weight       int
	Upper, Lower uint32
	Place        int32 // of the real server in the virtual service, for Service.RealOf
	Forward      ipvs.Forward
	Role         Role
	In           bool // of a desired table: the real server is in service
	Mapped       bool // of a desired table: the real server is configured with another port than the entry's
}

// A Role is the part of a destination in its virtual service.
type Role uint8

// The roles.
const (
	Foreign  Role = iota // not ours
	Real                 // a configured real server
	Fallback             // the fallback
)

// slotOf returns a destination of the kernel, as foreign.
func slotOf(dst ipvs.Destination) Slot {
	return Slot{At: dst.AddrPort, Weight: dst.Weight, Upper: dst.Upper, Lower: dst.Lower, Forward: dst.Forward}
}

// Destination returns s for the kernel.
func (s Slot) Destination() ipvs.Destination {
	return ipvs.Destination{AddrPort: s.At, Forward: s.Forward, Weight: s.Weight, Upper: s.Upper, Lower: s.Lower}
}

// Same reports whether two slots are the same to the kernel.
func (s Slot) Same(o Slot) bool {
	if s.At == o.At && s.Forward == o.Forward && s.Weight == o.Weight && s.Upper == o.Upper && s.Lower == o.Lower {
		return true
	}
	return s.Destination().Same(o.Destination())
}

// Slots are the destinations of one service in the order of their addresses,
// each address once.
type Slots []Slot

// NewSlots sorts a list, and uses it up. Several with one address are one entry of the
// kernel: one in service counts before all others. Among equals the last unmapped one
// counts, else the first. The original finds an entry by its port and edits it; any
// other is refused by the kernel, because the entry exists.
func NewSlots(list []Slot) Slots {
	slices.SortStableFunc(list, func(a, b Slot) int { return a.At.Compare(b.At) })
	kept := list[:0]
	for _, s := range list {
		switch last := len(kept) - 1; {
		case last < 0 || kept[last].At != s.At:
			kept = append(kept, s)
		case s.In && !kept[last].In, s.In == kept[last].In && !s.Mapped:
			kept[last] = s
		}
	}
	return kept
}

// SlotsOf returns the destinations of an entry.
func SlotsOf(e *ipvs.Entry) Slots {
	list := make([]Slot, 0, len(e.Destinations))
	for _, dst := range e.Destinations {
		list = append(list, slotOf(dst))
	}
	return NewSlots(list)
}

// Search returns the index of an address, and whether there is a destination.
func (l Slots) Search(at netip.AddrPort) (int, bool) {
	return slices.BinarySearchFunc(l, at, func(s Slot, at netip.AddrPort) int { return s.At.Compare(at) })
}

// Of returns the destination at an address. It is false if there is none.
func (l Slots) Of(at netip.AddrPort) (Slot, bool) {
	if i, ok := l.Search(at); ok {
		return l[i], true
	}
	return Slot{}, false
}

// Put puts s in place of the destination at its address.
func (l *Slots) Put(s Slot) {
	i, ok := l.Search(s.At)
	if !ok {
		*l = slices.Insert(*l, i, s)
	}
	(*l)[i] = s
}

// Remove removes the destination at an address, if there is one.
func (l *Slots) Remove(at netip.AddrPort) {
	if i, ok := l.Search(at); ok {
		*l = slices.Delete(*l, i, i+1)
	}
}
