package virtual

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

// Beginning is the event that announces r.
func (r *Real) Beginning(k event.Kind) event.Event {
	e := RealEvent(k, r, table.Step{Change: ipvs.Change{Destination: r.slot().Destination()}})
	if k == event.RealQuiesced {
		e.Weight = 0
	}
	if k == event.RealAdded {
		e.Mapped = ""
	}
	return e
}

// A StandIn is the fallback as the announcements have it: with the original it
// leaves for each announced real server, and comes back.
type StandIn struct {
	Announced bool // this virtual service has announcements of its fallback
	Held      bool // it is in the kernel already
	In        bool // as announced
}

// StandIn is v's: nothing is announced if it is a real server, too, or
// while a real server is in.
func (v *Service) StandIn() *StandIn {
	if v.Fallback == nil || v.realAt(v.Fallback.At) != nil || slices.ContainsFunc(v.Reals, (*Real).In) {
		return &StandIn{}
	}
	_, held := v.Actual.Slots.Of(v.Fallback.At)
	return &StandIn{Announced: true, Held: held, In: held}
}

// Beginnings are the lines for an unchecked real server that no change to the
// kernel will write.
func (v *Service) Beginnings(r *Real, readd bool) []event.Kind {
	s, held := v.Actual.Slots.Of(r.At())
	quiescent := v.Conf.Quiesces() && !expired(r)
	switch {
	case quiescent && (readd || r.Conf.Weight == 0):
		return nil
	case quiescent && held && s.Weight == 0:
		return []event.Kind{event.RealRestored, event.RealQuiesced}
	case quiescent:
		return []event.Kind{event.RealAdded}
	case held && (r.Out() || s.Weight == 0 && r.decide().Drains): // by an order or its own answer, which the original does not have: it keeps what it has
		return nil
	case held:
		return []event.Kind{event.RealRestored}
	default:
		return []event.Kind{event.RealAdded, event.RealDeleted}
	}
}

// An identity distinguishes real servers as the original does: by their checks and by
// their settings in the kernel.
type identity struct {
	key     checkspec.Key
	weight  int
	forward conf.Forward
}

func identityOf(r *Real) identity {
	q, _ := r.Key()
	return identity{q, r.Conf.Weight, r.Conf.Forward}
}

// LastReals finds, of those in the file with the same address, the last real
// server. It is made at the first use, because few reloads announce a real
// server.
type LastReals struct {
	Virtuals []*Service
	byName   map[netip.AddrPort]*Real
}

// Is reports whether r has the identity of the last one.
func (l *LastReals) Is(r *Real) bool {
	if l.byName == nil {
		l.byName = map[netip.AddrPort]*Real{}
		for _, v := range l.Virtuals {
			for _, r := range v.Reals {
				l.byName[r.Conf.AddrPort()] = r
			}
		}
	}
	last := l.byName[r.Conf.AddrPort()]
	return last == r || identityOf(last) == identityOf(r)
}

// LogsReset reports whether a first success after failures is logged for r: of several real
// servers that share a check it is for the first, and at the start for none.
func (r *Real) LogsReset(before policy.Tally, c *Check) bool {
	switch {
	case SeveralOf(r) != nil: // for each of the checks, and in the words of the original
		return before.Verdict == policy.Up && before.Failures > 0 && c.Users[0] == r
	case before.Verdict == policy.Unchecked:
		return r.Announced && !slices.ContainsFunc(r.Checks, func(c *Check) bool { return len(c.Users) > 1 })
	case before.Failures > 0:
		return !slices.ContainsFunc(r.Checks, func(c *Check) bool { return c.Users[0] != r })
	default:
		return false
	}
}
