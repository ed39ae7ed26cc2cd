// Package virtual has the virtual services of a configuration, with their real servers and
// checks: their states, the entries of the kernel that they should have, and the words of
// reports. It does no I/O. All values are owned by the director's goroutine, except where a
// comment says otherwise.
package virtual

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A Service is a configured virtual service with its state.
type Service struct {
	Conf    *conf.VirtualService
	Order   int    // in the file
	Name    string // "10.0.0.1:80"
	ID      string // "tcp:10.0.0.1:80"
	Service ipvs.Service
	Invalid error // why no kernel would take the service, nil if one may
	Limits  policy.Limits

	Reals    []*Real
	Fallback *table.Slot // nil is none

	table.View
	Logged map[Notice]bool // those that were logged and last, false: in doubt; nil is none

	rare

	Same  bool          // the reload has changed names of other virtual services alone: the kernel's table is as it was
	Dirty bool          // the kernel may have to be changed
	News  []event.Event // verdicts to report once the kernel knows

	First         *FirstChecks // of the real servers that are new, nil once they are reported
	Served        ServedState  // as last reported
	Outage        Outage
	FallbackState FallbackState
	Joint         Joint
}

// ServedState is whether real servers of a virtual service are in service.
type ServedState uint8

// The states. NoneServed says that none is.
const (
	ServedUnknown ServedState = iota // none is, and an unchecked one may be up
	Served
	NoneServed
)

// FallbackState is what fallbackcommand was last run for.
type FallbackState uint8

// The states. FallbackNever says that it was not run yet.
const (
	FallbackNever FallbackState = iota
	FallbackOn
	FallbackOff
)

// New returns a virtual service of which nothing is known yet. order is its place in the
// file.
func New(c *conf.VirtualService, order int, now time.Time) *Service {
	v := &Service{Conf: c, Order: order, ID: c.ID()}
	v.Name = event.ShortID(v.ID)
	v.Limits = limits(c)
	v.asks = asks(c)
	v.Service, v.Invalid = table.ServiceOf(c)
	v.addReals(now)
	v.Joint.rule = policy.RuleOf(c)
	if f := c.Fallback; f != nil {
		v.Fallback = &table.Slot{At: table.AddrOf(c, f.Addr, f.Port, f.Forward), Forward: table.ForwardOf(f.Forward), Weight: 1, Role: table.Fallback}
	}
	return v
}

func atLeastOne(n int) int32 { return int32(min(max(1, n), math.MaxInt32)) }

// addReals makes the real servers in one piece.
func (v *Service) addReals(now time.Time) {
	reals := make([]Real, len(v.Conf.Reals))
	v.Reals = make([]*Real, len(reals))
	checks := make([]*Check, len(reals)) // one for each, in one piece
	shared := checkspec.Of(v.Conf, v.Conf.Request, v.Conf.Receive)
	known := specs{v.Conf: shared}
	for i, rc := range v.Conf.Reals {
		r := &reals[i]
		*r = Real{Virtual: v, Order: int32(i), Conf: rc, Spec: shared, Reached: 100, Unchecked: true}
		if request := cmp.Or(rc.RequestURL(), rc.Request); request != v.Conf.Request || rc.Receive != v.Conf.Receive {
			r.Spec = checkspec.Of(v.Conf, request, rc.Receive)
		}
		r.Since, r.Checks = now, checks[i:i:i+1]
		if v.Conf.Several(rc) {
			s := known.several(v.Conf, rc)
			v.setSeveral(r, s)
			r.Spec, r.Checks = s.Parts[0].Spec, nil
		}
		r.Agent = agentBefore(r)
		v.Reals[i] = r
	}
}

// realAt is the real server that the kernel knows by this address: of several
// in the file the last. It is nil if there is none.
func (v *Service) realAt(at netip.AddrPort) *Real {
	for i := len(v.Reals) - 1; i >= 0; i-- {
		if r := v.Reals[i]; r.Conf.Addr == at.Addr() && r.At() == at {
			return r
		}
	}
	return nil
}

// RealOf returns the real server of a destination, nil if it is for none.
func (v *Service) RealOf(s table.Slot) *Real {
	if s.Role != table.Real {
		return nil
	}
	return v.Reals[s.Place]
}

// RoleAt returns the role and the place of a destination that the kernel has at an address.
func (v *Service) RoleAt(at netip.AddrPort) (table.Role, int32) {
	if r := v.realAt(at); r != nil {
		return table.Real, r.Order
	}
	if v.isFallback(at) {
		return table.Fallback, 0
	}
	return table.Foreign, 0
}

// NoteLogged records a logged notice. It is false if the notice is recorded already.
func (v *Service) NoteLogged(n Notice) bool {
	_, logged := v.Logged[n]
	if v.Logged == nil {
		v.Logged = map[Notice]bool{}
	}
	v.Logged[n] = true
	return !logged
}

// DoubtRefusals marks all recorded refusals before the changes are tried again.
func (v *Service) DoubtRefusals() {
	for n := range v.Logged {
		if n.Kind == Refusal {
			v.Logged[n] = false
		}
	}
}

// EndRefusals drops the recorded refusals that were not repeated since DoubtRefusals: the
// kernel has taken the change, or it is no longer needed.
func (v *Service) EndRefusals() {
	maps.DeleteFunc(v.Logged, func(_ Notice, repeated bool) bool { return !repeated })
}

// Adopt takes over what the kernel holds: a real server found there with a
// weight is up until a check fails, unless it is in doubt whether it is there. Foreign destinations
// stay in Actual, where the first plan finds and purges them.
func (v *Service) Adopt(e *ipvs.Entry) {
	v.Actual = table.State{Present: true, Service: e.Service, Slots: table.SlotsOf(e), Doubt: v.Actual.Doubt}
	for _, r := range v.Reals {
		i, ok := v.Actual.Slots.Search(r.At())
		if !ok {
			continue
		}
		v.Actual.Slots[i].Role, v.Actual.Slots[i].Place = table.Real, r.Order
		adoptMaxConn(r, v.Actual.Slots[i])
		adoptWeight(r, v.Actual.Slots[i])
		if v.Actual.Slots[i].Weight > 0 && r.Verdict == policy.Unchecked && !v.Actual.Doubt[r.At()] {
			adopt(r)
		}
	}
	if v.Fallback == nil {
		return
	}
	if i, ok := v.Actual.Slots.Search(v.Fallback.At); ok && v.Actual.Slots[i].Role == table.Foreign {
		v.Actual.Slots[i].Role = table.Fallback
	}
}

// Find takes over what the kernel has of v, nil is nothing, in the place of what
// was believed. Where the table could not be read, e is the believed entry, and failed
// changes stay in doubt.
func (v *Service) Find(e *ipvs.Entry, readable bool) {
	before, hand, failed := v.Actual, v.External, v.Doubt
	v.Actual = table.State{Doubt: before.Doubt}
	if readable {
		v.Doubt, v.Actual.Doubt = nil, nil
	}
	if e != nil {
		v.Adopt(e)
	}
	serves := slices.ContainsFunc(v.Reals, v.Serves) // one to which an operator has given weight 0, too
	v.External = nil
	if !serves {
		v.keepCommanded(before, hand, failed)
	}
}

// keepCommanded leaves entries of no file to the fallback command while the kernel has no
// real server in service: the command has put them there, and takes them away itself.
// What an earlier load was to delete is not the command's: a real server of an earlier
// file, or an entry that waits for its successor. Nor is what a change of ours has added that failed.
func (v *Service) keepCommanded(before table.State, hand map[netip.AddrPort]table.External, failed map[netip.AddrPort]bool) {
	if v.Conf.FallbackCommand == "" {
		return
	}
	for _, s := range v.Actual.Slots {
		_, known := before.Slots.Of(s.At)
		h, stays := hand[s.At]
		stays = stays && h.Role != table.Real && !h.Absent
		if s.Role == table.Foreign && (!known && !failed[s.At] || stays) {
			v.Respect(s.At, table.External{Slot: s})
		}
	}
}

// Inherit takes over the states of the same real servers from an earlier configuration,
// with their checks. The believed state of the table counts until Find.
func (v *Service) Inherit(old *Service) {
	v.First, v.Served, v.Outage, v.FallbackState = old.First, old.Served, old.Outage, old.FallbackState
	v.Actual, v.External, v.Doubt = old.Actual, old.External, old.Doubt
	inheritJoint(v, old)
	if v.Same = v.Conf == old.Conf; v.Same {
		v.View, v.Logged = old.View, old.Logged
	}
	var known map[netip.AddrPort]*Real // nil as long as the lists are the same
	for i, r := range v.Reals {
		if known == nil && (i >= len(old.Reals) || old.Reals[i].Conf.AddrPort() != r.Conf.AddrPort()) {
			known = old.realsByName()
		}
		var o *Real
		if known == nil {
			o = old.Reals[i]
		} else {
			o = known[r.Conf.AddrPort()]
		}
		if o != nil {
			r.inherit(o)
		}
	}
}

// realsByName is the real servers by how they are configured, of several the
// last.
func (v *Service) realsByName() map[netip.AddrPort]*Real {
	known := make(map[netip.AddrPort]*Real, len(v.Reals))
	for _, r := range v.Reals {
		known[r.Conf.AddrPort()] = r
	}
	return known
}

// Owned returns v as it is remembered for the next daemon.
func (v *Service) Owned() state.Service {
	return state.Service{Key: v.Service.Key, ID: v.ID, CleanStop: v.Conf.CleanStop}
}
