package director

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// reconcile compares the kernel's table with what it is believed to hold.
// What somebody removed and is needed comes back: services, the real servers
// that are in, the fallback while it is in. What is ours alone is set back: the
// settings of services, forwarding methods, thresholds, and whatever gives
// connections to a dead real server. What somebody else may decide stays and is
// said once: the weight of a real server that is in service, a dead one that was
// deleted, and destinations that are in no file. What the kernel refused is tried
// again.
func (d *Director) reconcile() {
	believed, entries, err := d.doubtful()
	if !d.readable(err) {
		return
	}
	var room slots // for all, one after the other
	for i, v := range d.virtuals {
		if v.unread {
			d.enterUnread(v, entries[v.service.Key])
			continue
		}
		if !believed[i] {
			d.compare(v, entries[v.service.Key])
		}
		clear(v.doubt)
		clear(v.have.doubt)
		if v.hopeless() {
			continue
		}
		want := v.want(room)
		room = want.slots
		if v.retry || len(plan(v.have, want)) > 0 {
			d.sync(v)
		}
	}
}

// retry tries again what the kernel refused, where no look at the table does it
// soon.
func (d *Director) retry(now time.Time) {
	if check := d.conf.DriftCheck; check > 0 && check <= retryInterval || now.Sub(d.kernel.retried) < retryInterval {
		return
	}
	d.kernel.retried = now
	for _, v := range d.virtuals {
		if v.retry {
			d.sync(v)
		}
	}
}

// doubtful reads the kernel's table and tells which of the virtual services are
// believed to be as they are there. Of all others it returns what the kernel has.
// A table of tens of thousands is never in memory as a whole.
func (d *Director) doubtful() (believed []bool, entries map[ipvs.Key]*ipvs.Entry, err error) {
	believed, entries = make([]bool, len(d.virtuals)), map[ipvs.Key]*ipvs.Entry{}
	places := make(map[ipvs.Key]int32, len(d.virtuals))
	for i, v := range d.virtuals {
		places[v.service.Key] = int32(i)
	}
	err = ipvs.ReadEach(d.o.Table, func(e *ipvs.Entry) {
		i, ours := places[e.Service.Key]
		switch {
		case !ours:
		case d.virtuals[i].asBelieved(e):
			believed[i] = true
		default:
			other := *e
			other.Destinations = slices.Clone(e.Destinations)
			entries[e.Service.Key] = &other
		}
	})
	return believed, entries, err
}

// read is the kernel's table by key.
func (d *Director) read() (map[ipvs.Key]*ipvs.Entry, bool) {
	table, ok := d.readTable()
	return byKey(table), ok
}

// readTable is the kernel's table.
func (d *Director) readTable() ([]ipvs.Entry, bool) {
	table, err := d.o.Table.Read()
	return table, d.readable(err)
}

// readable notes what came of reading the kernel's table. That it cannot be read
// is said once.
func (d *Director) readable(err error) bool {
	d.kernel.err = err
	if err != nil && !d.unreadable {
		d.o.Log("Reading the IPVS table failed, it is tried again: %v", err)
	}
	d.unreadable = err != nil
	return err == nil
}

func byKey(table []ipvs.Entry) map[ipvs.Key]*ipvs.Entry {
	entries := make(map[ipvs.Key]*ipvs.Entry, len(table))
	for i := range table {
		entries[table[i].Service.Key] = &table[i]
	}
	return entries
}

// compare brings what is believed of v up to date, and notes what is to be
// respected. e is what the kernel has of v, nil is nothing.
func (d *Director) compare(v *virtual, e *ipvs.Entry) {
	switch {
	case e == nil && v.have.present:
		d.lost(v, "virtual service "+v.name)
		v.forget()
		return
	case e == nil:
		return
	case !v.have.present:
		v.adopt(e)
		return
	}
	if !e.Service.Same(v.have.service) {
		v.have.service = e.Service
		if v.invalid == nil && !e.Service.Same(v.service) {
			d.repair(v, fmt.Sprintf("virtual service %s was changed by somebody else to %s, it is set back", v.name, e.Service))
		}
	}
	d.compareSlots(v, slotsOf(e))
}

// asBelieved tells whether e, what the kernel has of v, is what it is believed to
// have, and nothing is to be taken back that was said.
func (v *virtual) asBelieved(e *ipvs.Entry) bool {
	if !v.have.present || !e.Service.Same(v.have.service) || len(e.Destinations) != len(v.have.slots) {
		return false
	}
	if len(v.hand)+len(v.said) > 0 {
		return false
	}
	for i := range e.Destinations {
		found := slotOf(e.Destinations[i])
		if s, ok := v.have.slots.of(found.at); !ok || !s.same(found) {
			return false
		}
	}
	return true
}

// compareSlots does what compare does for the destinations, of which the kernel
// has those found.
func (d *Director) compareSlots(v *virtual, found slots) {
	desired := v.desired(nil)
	for _, s := range found {
		d.touched(v, s, desired)
	}
	for _, s := range slices.Clone(v.have.slots) {
		if _, ok := found.search(s.at); !ok {
			d.missing(v, s, desired)
		}
	}
	d.sayDifferences(v, desired)
}

// touched looks at a destination that the kernel has: if it is not as we left
// it, somebody else wants it so.
func (d *Director) touched(v *virtual, now slot, desired held) {
	s, believed := v.have.slots.of(now.at)
	if believed && s.same(now) {
		return
	}
	now.role, now.place = s.role, s.place
	if !believed {
		now.role, now.place = v.roleAt(now.at)
	}
	v.have.slots.put(now)
	delete(v.hand, now.at)
	w, wanted := desired.slots.of(now.at)
	switch {
	case wanted && w.same(now):
	case v.doubt[now.at]: // it may be our own change, which was made although it failed
	case now.role == foreign:
		v.respect(now.at, byHand{slot: now})
	case wanted && w.in:
		if now.weight != w.weight {
			v.respect(now.at, byHand{slot: now})
		}
		if w.weight = now.weight; !w.same(now) {
			d.repair(v, fmt.Sprintf("real server %s (%s) was changed by somebody else, its forwarding method and thresholds are set back", now.at, v.name))
		}
	case wanted && w.role == ofFallback:
		d.repair(v, fmt.Sprintf("fallback server %s (%s) was changed by somebody else, it is set back", now.at, v.name))
	case now.role == ofFallback:
		d.repair(v, fmt.Sprintf("fallback server %s (%s) was added by somebody else, it is taken out: real servers are in service", now.at, v.name))
	default:
		d.repair(v, fmt.Sprintf("real server %s (%s) is not in service and was set to weight %d by somebody else, it is taken out", now.at, v.name, now.weight))
	}
}

// missing looks at a destination that the kernel should have and has not.
func (d *Director) missing(v *virtual, s slot, desired held) {
	v.have.slots.remove(s.at)
	delete(v.hand, s.at)
	switch w, ok := desired.slots.of(s.at); {
	case !ok:
	case w.role == ofFallback:
		d.lost(v, "fallback server "+v.fallbackName()+" ("+v.name+")")
	case w.in:
		d.lost(v, "real server "+v.realOf(w).name()+" ("+v.name+")")
	default:
		v.respect(s.at, byHand{absent: true})
	}
}

// lost reports what somebody removed; the plan that follows puts it back.
func (d *Director) lost(v *virtual, what string) {
	v.outage.left = &event.Cause{Kind: event.CauseExternal, Detail: what + " was removed by somebody else"}
	d.repair(v, what+" was removed by somebody else, it is put back")
}

// repair reports what somebody did that the plan that follows undoes.
func (d *Director) repair(v *virtual, what string) {
	d.kernel.repairs++
	d.emit(v, event.Event{Kind: event.Repaired, Reason: what, Cause: &event.Cause{Kind: event.CauseExternal}})
}

// forget drops all belief in what the kernel holds for v.
func (v *virtual) forget() {
	v.have = held{}
	clear(v.hand)
}

const differs = "differs: "

// sayDifferences reports what is respected and was not said yet.
func (d *Director) sayDifferences(v *virtual, desired held) {
	stands := map[string]bool{}
	for at, h := range v.hand {
		stands[differs+v.difference(at, h, desired)] = true
	}
	for text := range v.said {
		if strings.HasPrefix(text, differs) && !stands[text] {
			delete(v.said, text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(stands)) {
		if v.say(text) {
			d.emit(v, event.Event{Kind: event.Differs, Reason: strings.TrimPrefix(text, differs), Cause: &event.Cause{Kind: event.CauseExternal}})
		}
	}
}

// difference says how the kernel's entry is not what it would be without the
// hand that changed it.
func (v *virtual) difference(at netip.AddrPort, h byHand, desired held) string {
	name := fmt.Sprintf("%s (%s)", at, v.name)
	switch {
	case h.absent:
		return "real server " + name + " was deleted by somebody else"
	case h.role != ofReal:
		return fmt.Sprintf("%s was added by somebody else, weight %d", name, h.weight)
	}
	w, _ := desired.slots.of(at)
	return fmt.Sprintf("real server %s has weight %d in the kernel, set by somebody else, instead of %d", name, h.weight, w.weight)
}
