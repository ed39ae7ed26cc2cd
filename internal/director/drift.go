package director

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"ldirectord/ipvs"
)

// reconcile compares the kernel's table with what it is believed to hold.
// What somebody removed and is needed comes back: services, the real servers
// that are in, the fallback while it is in. What somebody changed, added, or
// removed of the dead stays as it is and is said once: operators drain real
// servers that way. What the kernel refused is tried again.
func (d *Director) reconcile() {
	entries, ok := d.read()
	if !ok {
		return
	}
	for _, v := range d.virtuals {
		if v.invalid != nil {
			continue
		}
		d.compare(v, entries)
		if v.retry || len(plan(v.have, v.want())) > 0 {
			d.sync(v)
		}
	}
}

// read is the kernel's table by key. That it cannot be read is said once.
func (d *Director) read() (map[ipvs.Key]ipvs.Entry, bool) {
	table, err := d.o.Table.Read()
	d.kernel.note(table, err, d.now())
	if err != nil {
		if !d.unreadable {
			d.o.Log("Reading the IPVS table failed, it is tried again: %v", err)
		}
		d.unreadable = true
		return nil, false
	}
	d.unreadable = false
	entries := make(map[ipvs.Key]ipvs.Entry, len(table))
	for _, e := range table {
		entries[e.Service.Key] = e
	}
	return entries, true
}

// compare brings what is believed of v up to date, and notes what is to be
// respected.
func (d *Director) compare(v *virtual, entries map[ipvs.Key]ipvs.Entry) {
	e, ok := entries[v.service.Key]
	switch {
	case !ok && v.have.present:
		d.lost(v, "virtual service "+v.name)
		v.forget()
		return
	case !ok:
		return
	case !v.have.present:
		v.adopt(e)
		return
	}
	if !e.Service.Same(v.have.service) {
		v.have.service, v.handService = e.Service, &e.Service
		if e.Service.Same(v.service) {
			v.handService = nil
		}
	}
	desired := v.desired()
	found := make(map[netip.AddrPort]bool, len(e.Destinations))
	for _, dst := range e.Destinations {
		found[dst.AddrPort] = true
		v.touched(dst, desired)
	}
	for at, s := range v.have.slots {
		if !found[at] {
			d.missing(v, s, desired)
		}
	}
	d.sayDifferences(v, desired)
}

// touched looks at a destination that the kernel has: if it is not as we left
// it, somebody else wants it so.
func (v *virtual) touched(dst ipvs.Destination, desired held) {
	s, believed := v.have.slots[dst.AddrPort]
	if believed && s.Same(dst) {
		return
	}
	if !believed {
		s.real = v.realAt(dst.AddrPort)
	}
	s.Destination = dst
	v.have.slots[dst.AddrPort] = s
	if w, ok := desired.slots[dst.AddrPort]; ok && w.Same(dst) {
		delete(v.hand, dst.AddrPort)
		return
	}
	v.hand[dst.AddrPort] = byHand{Destination: dst}
}

// missing looks at a destination that the kernel should have and has not.
func (d *Director) missing(v *virtual, s slot, desired held) {
	delete(v.have.slots, s.AddrPort)
	delete(v.hand, s.AddrPort)
	switch w, ok := desired.slots[s.AddrPort]; {
	case !ok:
	case w.fallback:
		d.lost(v, "fallback server "+v.fallbackName()+" ("+v.name+")")
	case w.real.in():
		d.lost(v, "real server "+w.real.name+" ("+v.name+")")
	default:
		v.hand[s.AddrPort] = byHand{absent: true}
	}
}

// lost reports what somebody removed; the plan that follows puts it back.
func (d *Director) lost(v *virtual, what string) {
	d.kernel.repairs++
	d.emit(v, Event{Kind: Repaired, Reason: what + " was removed by somebody else, it is put back"})
}

// forget drops all belief in what the kernel holds for v.
func (v *virtual) forget() {
	v.have = held{slots: map[netip.AddrPort]slot{}}
	clear(v.hand)
	v.handService = nil
}

const differs = "differs: "

// sayDifferences reports what is respected and was not said yet.
func (d *Director) sayDifferences(v *virtual, desired held) {
	stands := map[string]bool{}
	if v.handService != nil {
		stands[fmt.Sprintf("%svirtual service %s is in the kernel as %s", differs, v.name, ipvs.Change{Op: ipvs.AddService, Service: *v.handService})] = true
	}
	for at, h := range v.hand {
		stands[differs+v.difference(at, h, desired)] = true
	}
	for text := range v.said {
		if strings.HasPrefix(text, differs) && !stands[text] {
			delete(v.said, text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(stands)) {
		if !v.said[text] {
			v.said[text] = true
			d.emit(v, Event{Kind: Differs, Reason: strings.TrimPrefix(text, differs)})
		}
	}
}

// difference says how the kernel's entry is not what it would be without the
// hand that changed it.
func (v *virtual) difference(at netip.AddrPort, h byHand, desired held) string {
	w, wanted := desired.slots[at]
	name := fmt.Sprintf("%s (%s)", at, v.name)
	switch {
	case h.absent:
		return "real server " + name + " was deleted by somebody else"
	case !wanted && v.realAt(at) == nil:
		return fmt.Sprintf("%s was added by somebody else, weight %d", name, h.Weight)
	case !wanted:
		return fmt.Sprintf("real server %s is down and was added by somebody else, weight %d", name, h.Weight)
	case w.Weight != h.Weight:
		return fmt.Sprintf("real server %s has weight %d in the kernel, set by somebody else, instead of %d", name, h.Weight, w.Weight)
	default:
		return fmt.Sprintf("real server %s was changed by somebody else", name)
	}
}
