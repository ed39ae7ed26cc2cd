package director

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// mostAbsent is how many real servers that wait for an operator are remembered while the configuration
// does not have them.
const mostAbsent = 1000

// leavings are the real servers that their checks have taken out of service (quiescenttime, return =
// byhand). They are owned by the director's goroutine.
type leavings struct {
	d         *Director
	known     []state.Gone                 // as published, with those that the configuration does not have
	stale     bool                         // publish has to be called
	published atomic.Pointer[[]state.Gone] // for any goroutine
	changed   func()                       // see Options.GoneChanged; nil is none
}

func newLeavings(d *Director) *leavings {
	return &leavings{d: d, known: d.o.Gone, changed: d.o.GoneChanged}
}

// Gone returns what the next daemon has to know of the real servers that their checks have taken out of
// service. It never blocks and may be called from any goroutine.
func (d *Director) Gone() []state.Gone {
	if list := d.leavings.published.Load(); list != nil {
		return *list
	}
	return d.o.Gone
}

// note notes who has left v, or has been out for long enough, after a decision.
func (l *leavings) note(v *virtual.Service) {
	news := virtual.NoteLeavings(v, l.d.now())
	if news.Table {
		l.d.touch(v)
	}
	l.stale = l.stale || news.Kept
}

// every notes the real servers whose quiescenttime is over.
func (l *leavings) every() {
	for _, v := range l.d.virtuals {
		if v.Conf.QuiescentTime > 0 {
			l.note(v)
		}
	}
}

// A waitName is the name and port of a real server whose wait follows its name (resolve).
type waitName struct {
	virtual, host string
	port          uint16
}

func waitNameOf(g state.Gone) waitName {
	at, _ := netip.ParseAddrPort(g.Real)
	return waitName{g.Virtual, g.Host, at.Port()}
}

// namedReal is the name of r, false if it has none that means it alone.
func namedReal(r *virtual.Real) (waitName, bool) {
	v := r.Virtual
	return waitName{v.ID, r.Conf.Host, r.Conf.Port}, conf.IsName(r.Conf.Host) && !v.Conf.ResolveAll
}

// restore gives new real servers their state: by their address, else by their
// name, if it had an address that is not configured any more.
func (l *leavings) restore() {
	if len(l.known) == 0 {
		return
	}
	absent := l.absent()
	byTarget, byName := map[report.Target]state.Gone{}, map[waitName]state.Gone{}
	for _, g := range l.known {
		byTarget[report.Target{Virtual: g.Virtual, Real: g.Real}] = g
		if g.Host != "" && !g.Waits.IsZero() && absent(g) {
			g.Dead = time.Time{} // another entry of the table
			byName[waitNameOf(g)] = g
		}
	}
	for _, v := range l.d.virtuals {
		if v.Conf.QuiescentTime == 0 && !v.Conf.ByHand {
			continue
		}
		for _, r := range v.Reals {
			if !r.Unchecked || virtual.Waits(r) {
				continue
			}
			g, ok := byTarget[r.Target()]
			if name, named := namedReal(r); !ok && named {
				if g, ok = byName[name]; ok {
					l.known = slices.DeleteFunc(slices.Clone(l.known), func(o state.Gone) bool { return o.Virtual == g.Virtual && o.Real == g.Real })
				}
			}
			if ok && !virtual.RestoreLeaving(r, g, l.d.now()) {
				l.d.o.Log("Real server %s of %s was put in service while no daemon ran: it waits for enable no more", r.Name(), v.ID)
			}
		}
	}
	l.stale = true
}

// begin takes up a configuration: those that need not wait any more are let in.
func (l *leavings) begin() {
	for _, v := range l.d.virtuals {
		if v.Conf.ByHand {
			continue
		}
		for _, r := range v.Reals {
			l.letIn(r, &event.Cause{Kind: event.CauseReload, Detail: "the configuration was reloaded"})
		}
	}
	l.stale = l.stale || len(l.known) > 0
}

// letIn ends the wait of r, which comes in if its checks are good.
func (l *leavings) letIn(r *virtual.Real, cause *event.Cause) {
	since := virtual.StopWaiting(r)
	if since.IsZero() {
		return
	}
	d := l.d
	l.stale = true
	d.touch(r.Virtual)
	if r.Verdict != policy.Up || r.File() != "" {
		return
	}
	r.Since = d.now()
	r.StartSlowly()
	if r.In() {
		r.Virtual.Moved(r, true, cause)
	}
	e := r.Event(event.Back)
	e.Cause, e.Down = cause, d.now().Sub(since)
	e.Reason = virtual.AndOut("", r)
	d.changed(r, e)
}

// enable ends the wait of the real servers of t by an operator, also of those that the configuration
// does not have.
func (l *leavings) enable(t report.Target, by, why string) {
	for _, r := range l.d.meant(t.Real, t.Virtual) {
		l.letIn(r, &event.Cause{Kind: event.CauseOrder, By: by, Detail: why})
	}
	known := len(l.known)
	absent := l.absent()
	l.known = slices.DeleteFunc(slices.Clone(l.known), func(g state.Gone) bool {
		return g.Virtual == t.Virtual && g.Real == t.Real && absent(g)
	})
	l.stale = l.stale || len(l.known) < known
}

// forgotten are the real servers that have left the configuration and that an enable means: they
// have orders, or wait.
func forgotten(d *Director, o report.Order) []report.Target {
	found := d.overrides.forgotten(o)
	for _, t := range d.leavings.forgotten(o) {
		if !slices.Contains(found, t) {
			found = append(found, t)
		}
	}
	return found
}

// forgotten are the real servers that wait and that the configuration does not have, of those that an
// order means.
func (l *leavings) forgotten(order report.Order) (found []report.Target) {
	absent := l.absent()
	for _, g := range l.known {
		if t := (report.Target{Virtual: g.Virtual, Real: g.Real}); absent(g) && meansForgotten(order, t) {
			found = append(found, t)
		}
	}
	return found
}

// absent returns a func that reports whether the configuration does not have a real server.
func (l *leavings) absent() func(state.Gone) bool {
	if len(l.known) == 0 {
		return func(state.Gone) bool { return false }
	}
	targets := map[report.Target]bool{}
	for _, v := range l.d.virtuals {
		for _, r := range v.Reals {
			targets[r.Target()] = true
		}
	}
	return func(g state.Gone) bool { return !targets[report.Target{Virtual: g.Virtual, Real: g.Real}] }
}

// publish makes the list of Gone after changes. Real servers that wait are remembered while the
// configuration does not have them.
func (l *leavings) publish() {
	if !l.stale {
		return
	}
	l.stale = false
	list, absent := []state.Gone{}, l.absent()
	for _, g := range l.known {
		if !g.Waits.IsZero() && absent(g) {
			g.Dead = time.Time{}
			list = append(list, g)
		}
	}
	list = list[max(0, len(list)-mostAbsent):]
	for _, v := range l.d.virtuals {
		list = append(list, virtual.Gone(v)...)
	}
	l.known = list
	l.published.Store(&list)
	if l.changed != nil {
		l.changed()
	}
}
