package director

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// driftCheck compares the kernel's table with the believed one. Needed entries that
// were removed come back: services, real servers in service, the fallback while it is
// in. Settings that are ours alone are set back: those of services, forwarding
// methods, thresholds, and any weight that gives connections to a dead real server.
// Changes that other programs may make stay, and are logged once: the weight of a
// real server in service, the deletion of a dead one, and destinations of no file.
// Changes that the kernel refused are tried again.
func (rc *reconciler) driftCheck() {
	believed, entries, readable := rc.doubtful()
	if !readable {
		return
	}
	var room table.Slots // for all, one after the other
	for i, v := range rc.virtuals {
		if v.Unread {
			rc.enterUnread(v, entries[v.Service.Key])
			continue
		}
		if !believed[i] {
			rc.compare(v, entries[v.Service.Key])
		}
		clear(v.Doubt)
		clear(v.Actual.Doubt)
		if v.Hopeless() {
			continue
		}
		want := v.Want(room)
		room = want.Slots
		if v.Retry || len(table.Plan(v.Actual, want)) > 0 {
			rc.sync(v)
		}
	}
}

// retry tries again what the kernel refused, where no look at the table does it
// soon.
func (rc *reconciler) retry(now time.Time) {
	if check := rc.conf.DriftCheck; check > 0 && check <= retryInterval || now.Sub(rc.retried) < retryInterval {
		return
	}
	rc.retried = now
	for _, v := range rc.virtuals {
		if v.Retry {
			rc.sync(v)
		}
	}
}

// doubtful reads the kernel's table and returns which of the virtual services are
// believed to be as they are there. Of all others it returns what the kernel has.
// A table of tens of thousands is never in memory as a whole.
func (rc *reconciler) doubtful() (believed []bool, entries map[ipvs.Key]*ipvs.Entry, readable bool) {
	believed, entries = make([]bool, len(rc.virtuals)), map[ipvs.Key]*ipvs.Entry{}
	places := make(map[ipvs.Key]int32, len(rc.virtuals))
	for i, v := range rc.virtuals {
		places[v.Service.Key] = int32(i)
	}
	readable = rc.kernel.ReadEach(func(e *ipvs.Entry) {
		i, ours := places[e.Service.Key]
		switch {
		case !ours:
		case rc.virtuals[i].AsBelieved(e):
			believed[i] = true
		default:
			other := *e
			other.Destinations = slices.Clone(e.Destinations)
			entries[e.Service.Key] = &other
		}
	})
	return believed, entries, readable
}

// compare updates the believed state of v, and records the external changes to
// respect. e is the kernel's entry of v, nil is none.
func (rc *reconciler) compare(v *virtual.Service, e *ipvs.Entry) {
	switch {
	case e == nil && v.Actual.Present:
		rc.lost(v, "virtual service "+v.Name)
		v.Forget()
		return
	case e == nil:
		return
	case !v.Actual.Present:
		v.Adopt(e)
		return
	}
	if !e.Service.Same(v.Actual.Service) {
		v.Actual.Service = e.Service
		if v.Invalid == nil && !e.Service.Same(v.Service) {
			rc.repair(v, fmt.Sprintf("virtual service %s was changed by somebody else to %s, it is set back", v.Name, e.Service))
		}
	}
	rc.compareSlots(v, table.SlotsOf(e))
}

// compareSlots does what compare does for the destinations, of which the kernel
// has those found.
func (rc *reconciler) compareSlots(v *virtual.Service, found table.Slots) {
	desired := v.Desired(nil)
	for _, s := range found {
		rc.touched(v, s, desired)
	}
	for _, s := range slices.Clone(v.Actual.Slots) {
		if _, ok := found.Search(s.At); !ok {
			rc.missing(v, s, desired)
		}
	}
	rc.logDifferences(v, desired)
}

// touched looks at a destination that the kernel has: if it is not as we left
// it, this is an external change.
func (rc *reconciler) touched(v *virtual.Service, now table.Slot, desired table.State) {
	s, believed := v.Actual.Slots.Of(now.At)
	if believed && s.Same(now) {
		return
	}
	now.Role, now.Place = s.Role, s.Place
	if !believed {
		now.Role, now.Place = v.RoleAt(now.At)
	}
	v.Actual.Slots.Put(now)
	delete(v.External, now.At)
	w, wanted := desired.Slots.Of(now.At)
	switch {
	case wanted && w.Same(now):
	case v.Doubt[now.At]: // it may be our own change, which was made although it failed
	case now.Role == table.Foreign:
		v.Respect(now.At, table.External{Slot: now})
	case wanted && w.In:
		if now.Weight != w.Weight {
			v.Respect(now.At, table.External{Slot: now})
		}
		if w.Weight = now.Weight; !w.Same(now) {
			rc.repair(v, fmt.Sprintf("real server %s (%s) was changed by somebody else, its forwarding method and thresholds are set back", now.At, v.Name))
		}
	case wanted && w.Role == table.Fallback:
		rc.repair(v, fmt.Sprintf("fallback server %s (%s) was changed by somebody else, it is set back", now.At, v.Name))
	case now.Role == table.Fallback:
		rc.repair(v, fmt.Sprintf("fallback server %s (%s) was added by somebody else, it is taken out: real servers are in service", now.At, v.Name))
	default:
		rc.repair(v, fmt.Sprintf("real server %s (%s) is not in service and was set to weight %d by somebody else, it is taken out", now.At, v.Name, now.Weight))
	}
}

// missing looks at a destination that the kernel should have and has not.
func (rc *reconciler) missing(v *virtual.Service, s table.Slot, desired table.State) {
	v.Actual.Slots.Remove(s.At)
	delete(v.External, s.At)
	switch w, ok := desired.Slots.Of(s.At); {
	case !ok:
	case w.Role == table.Fallback:
		rc.lost(v, "fallback server "+v.FallbackName()+" ("+v.Name+")")
	case w.In:
		rc.lost(v, "real server "+v.RealOf(w).Name()+" ("+v.Name+")")
	default:
		v.Respect(s.At, table.External{Absent: true})
	}
}

// lost reports what an external change removed; the plan that follows puts it back.
func (rc *reconciler) lost(v *virtual.Service, what string) {
	v.Outage.Left = &event.Cause{Kind: event.CauseExternal, Detail: removed(what)}
	rc.repair(v, removed(what)+putBack)
}

func removed(what string) string { return what + " was removed by somebody else" }

const putBack = ", it is put back"

// repair reports an external change that the plan that follows undoes.
func (rc *reconciler) repair(v *virtual.Service, what string) {
	rc.kernel.Repairs++
	rc.emit(v, event.Event{Kind: event.Repaired, Reason: what, Cause: &event.Cause{Kind: event.CauseExternal}})
}

// logDifferences logs the respected changes, each once.
func (rc *reconciler) logDifferences(v *virtual.Service, desired table.State) {
	present := map[virtual.Notice]bool{}
	for at, h := range v.External {
		present[virtual.Notice{Kind: virtual.Difference, Text: v.Difference(at, h, desired)}] = true
	}
	for n := range v.Logged {
		if n.Kind == virtual.Difference && !present[n] {
			delete(v.Logged, n)
		}
	}
	for _, n := range slices.SortedFunc(maps.Keys(present), func(a, b virtual.Notice) int { return strings.Compare(a.Text, b.Text) }) {
		if v.NoteLogged(n) {
			rc.emit(v, event.Event{Kind: event.Differs, Reason: n.Text, Cause: &event.Cause{Kind: event.CauseExternal}})
		}
	}
}

// markUnread marks the virtual services of virtuals that olds, those of the
// configuration before, do not have: whether the table has them is not known, and
// nothing is written for them before it is.
func markUnread(virtuals, olds []*virtual.Service) {
	known := make(map[ipvs.Key]bool, len(olds))
	for _, v := range olds {
		known[v.Service.Key] = !v.Unread
	}
	for _, v := range virtuals {
		v.Unread = !known[v.Service.Key]
	}
}

// retryUnread reads the table again while there are virtual services of which it is
// not known. The others are left to driftcheck.
func (rc *reconciler) retryUnread(now time.Time) {
	if now.Sub(rc.reread) < retryInterval || !slices.ContainsFunc(rc.virtuals, isUnread) {
		return
	}
	rc.reread = now
	_, entries, readable := rc.doubtful()
	if !readable {
		return
	}
	for _, v := range rc.virtuals {
		if v.Unread {
			rc.enterUnread(v, entries[v.Service.Key])
		}
	}
}

func isUnread(v *virtual.Service) bool { return v.Unread }

// enterUnread brings v, which a reload has added without a look at the table, into
// the kernel. e is what the table has of it, nil is nothing.
func (rc *reconciler) enterUnread(v *virtual.Service, e *ipvs.Entry) {
	v.Unread = false
	v.Find(e, true)
	rc.enter(v, e != nil, &virtual.LastReals{Virtuals: rc.virtuals})
}
