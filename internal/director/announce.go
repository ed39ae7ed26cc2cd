package director

import (
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// announce tells of the real servers of v that nobody has asked yet. The
// original gives each of them its weight and takes it out again at once, and
// those who watch its log know them by these lines. Here the kernel never has
// an unproven real server in; only the lines are the same. last has the last
// identity of each real server: the original remembers one for each address.
func (d *Director) announce(v *virtual, last *lastReals) {
	if !v.Actual.Present {
		return // the kernel has refused it
	}
	f := v.standIn()
	for _, r := range v.reals {
		if r.Verdict != policy.Unchecked || !last.is(r) {
			continue
		}
		r.announced = true
		for _, k := range v.beginnings(r, d.conf.ReaddQuiescent) {
			if k != event.RealDeleted && k != event.RealQuiesced {
				d.announceFallback(v, f, true)
			}
			d.emit(v, r.beginning(k))
			d.announceFallback(v, f, false)
		}
	}
	if f.held {
		d.announceFallback(v, f, true)
	}
}

// beginning is the event that announces r.
func (r *real) beginning(k event.Kind) event.Event {
	e := realEvent(k, r, table.Step{Change: ipvs.Change{Destination: r.slot().Destination()}})
	if k == event.RealQuiesced {
		e.Weight = 0
	}
	if k == event.RealAdded {
		e.Mapped = ""
	}
	return e
}

// A standIn is the fallback as the announcements have it: with the original it
// leaves for each real server that is announced, and comes back.
type standIn struct {
	announced bool // this virtual service has announcements of its fallback
	held      bool // it is in the kernel already
	in        bool // as announced
}

// standIn is v's: nothing is announced of one that is a real server, too, or
// while a real server is in.
func (v *virtual) standIn() *standIn {
	if v.fallback == nil || v.realAt(v.fallback.At) != nil || slices.ContainsFunc(v.reals, (*real).in) {
		return &standIn{}
	}
	_, held := v.Actual.Slots.Of(v.fallback.At)
	return &standIn{announced: true, held: held, in: held}
}

// announceFallback tells that the fallback comes or goes, if it is the other
// way round so far.
func (d *Director) announceFallback(v *virtual, f *standIn, in bool) {
	if !f.announced || f.in == in {
		return
	}
	f.in = in
	e := v.fallbackEvent(event.FallbackDeleted, table.Step{Change: ipvs.Change{Destination: v.fallback.Destination()}})
	if in {
		e.Kind, e.Mapped = event.FallbackAdded, ""
	}
	d.emit(v, e)
}

// beginnings are the lines for an unproven real server that no change to the
// kernel will write.
func (v *virtual) beginnings(r *real, readd bool) []event.Kind {
	s, held := v.Actual.Slots.Of(r.at())
	switch {
	case v.conf.Quiescent && (readd || r.conf.Weight == 0):
		return nil
	case v.conf.Quiescent && held && s.Weight == 0:
		return []event.Kind{event.RealRestored, event.RealQuiesced}
	case v.conf.Quiescent:
		return []event.Kind{event.RealAdded}
	case held:
		return []event.Kind{event.RealRestored}
	default:
		return []event.Kind{event.RealAdded, event.RealDeleted}
	}
}

// An identity is what tells one real server from another for the original:
// what is asked of it, and how it is to be in the kernel.
type identity struct {
	key     checkspec.Key
	weight  int
	forward conf.Forward
}

func (r *real) identity() identity {
	q, _ := r.key()
	return identity{q, r.conf.Weight, r.conf.Forward}
}

// lastReals finds, of those in the file with the same address, the last real
// server. It is made when the first one asks, since a reload seldom has anybody
// to announce.
type lastReals struct {
	virtuals []*virtual
	byName   map[netip.AddrPort]*real
}

// is says whether r has the identity of the last one.
func (l *lastReals) is(r *real) bool {
	if l.byName == nil {
		l.byName = map[netip.AddrPort]*real{}
		for _, v := range l.virtuals {
			for _, r := range v.reals {
				l.byName[r.conf.AddrPort()] = r
			}
		}
	}
	last := l.byName[r.conf.AddrPort()]
	return last == r || last.identity() == r.identity()
}

// tellsReset says whether a first success after failures is r's to tell: of
// those who share a check the first does, and at the start nobody does.
func (r *real) tellsReset(before policy.Tally) bool {
	switch {
	case before.Verdict == policy.Unchecked:
		return r.announced && (r.check == nil || len(r.check.users) == 1)
	case before.Failures > 0:
		return r.check == nil || r.check.users[0] == r
	default:
		return false
	}
}
