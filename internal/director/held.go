package director

import (
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/ipvs"
)

// held is what the kernel holds, or should hold, of one virtual service.
type held struct {
	present bool
	service ipvs.Service
	slots   slots

	// doubt is what may have left: a change that takes it out of service failed,
	// and may have been made all the same. Nil until then.
	doubt map[netip.AddrPort]bool
}

// A slot is a destination and its role. It leaves out the counters of an
// ipvs.Destination, which for thousands of real servers would be most of a director's
// memory.
type slot struct {
	at           netip.AddrPort
	weight       int
	upper, lower uint32
	place        int32 // of the real server in the virtual service, for ofReal
	forward      ipvs.Forward
	role         role
	in           bool // of a desired table: the real server is in service
}

// A role is what a destination is to its virtual service.
type role uint8

const (
	foreign    role = iota // not ours
	ofReal                 // a configured real server
	ofFallback             // the fallback
)

// slotOf returns a destination of the kernel, as foreign.
func slotOf(dst ipvs.Destination) slot {
	return slot{at: dst.AddrPort, weight: dst.Weight, upper: dst.Upper, lower: dst.Lower, forward: dst.Forward}
}

func (s slot) destination() ipvs.Destination {
	return ipvs.Destination{AddrPort: s.at, Forward: s.forward, Weight: s.weight, Upper: s.upper, Lower: s.lower}
}

// same tells whether two slots are the same to the kernel.
func (s slot) same(o slot) bool {
	if s.at == o.at && s.forward == o.forward && s.weight == o.weight && s.upper == o.upper && s.lower == o.lower {
		return true
	}
	return s.destination().Same(o.destination())
}

// slots are the destinations of one service in the order of their addresses,
// each address once.
type slots []slot

// newSlots sorts a list. Of several with one address, which are one entry of the
// kernel, the last that is in service counts, else the last. The list is used up.
func newSlots(list []slot) slots {
	slices.SortStableFunc(list, func(a, b slot) int { return a.at.Compare(b.at) })
	kept := list[:0]
	for _, s := range list {
		switch last := len(kept) - 1; {
		case last < 0 || kept[last].at != s.at:
			kept = append(kept, s)
		case s.in || !kept[last].in:
			kept[last] = s
		}
	}
	return kept
}

// slotsOf are those of what the kernel has.
func slotsOf(e *ipvs.Entry) slots {
	list := make([]slot, 0, len(e.Destinations))
	for _, dst := range e.Destinations {
		list = append(list, slotOf(dst))
	}
	return newSlots(list)
}

// search is the place of an address, and whether there is something.
func (l slots) search(at netip.AddrPort) (int, bool) {
	return slices.BinarySearchFunc(l, at, func(s slot, at netip.AddrPort) int { return s.at.Compare(at) })
}

// of is what is at an address; the zero slot and false if nothing is.
func (l slots) of(at netip.AddrPort) (slot, bool) {
	if i, ok := l.search(at); ok {
		return l[i], true
	}
	return slot{}, false
}

// put puts s in the place of what is at its address.
func (l *slots) put(s slot) {
	i, ok := l.search(s.at)
	if !ok {
		*l = slices.Insert(*l, i, s)
	}
	(*l)[i] = s
}

func (l *slots) remove(at netip.AddrPort) {
	if i, ok := l.search(at); ok {
		*l = slices.Delete(*l, i, i+1)
	}
}
