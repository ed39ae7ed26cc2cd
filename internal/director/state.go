package director

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A virtual is a configured virtual service and all that is known of it.
type virtual struct {
	conf    *conf.VirtualService
	order   int    // in the file
	name    string // "10.0.0.1:80"
	id      string // "tcp:10.0.0.1:80"
	service ipvs.Service
	invalid error // why no kernel would take the service, nil if one may
	limits  policy.Limits

	reals    []*real
	fallback *table.Slot // nil is none

	table.View
	said map[string]bool // refusals and differences that were logged and last; nil is none

	dirty bool          // the kernel may have to be changed
	news  []event.Event // verdicts to report once the kernel knows

	first         *firstChecks // of the real servers that are new, nil once they are reported
	served        served       // as last reported
	outage        outage
	replaced      bool // a reload took out those that were in; meaningful if first is not nil
	fallbackState fallbackState
}

// served says whether real servers of a virtual service are in service.
type served uint8

const (
	unknown served = iota // none is, and an unchecked one may be up
	isServed
	allGone
)

// fallbackState says what fallbackcommand was last run for.
type fallbackState uint8

const (
	fallbackNever fallbackState = iota
	fallbackOn
	fallbackOff
)

// newVirtual is a virtual service of which nothing is known yet. order is its
// place in the file.
func newVirtual(c *conf.VirtualService, order int, now time.Time) *virtual {
	v := &virtual{conf: c, order: order, id: c.ID()}
	v.name = event.ShortID(v.id)
	v.limits = policy.Limits{Fall: atLeastOne(c.FailureCount), Rise: atLeastOne(c.RiseCount)}
	v.service, v.invalid = table.ServiceOf(c)
	v.addReals(now)
	if f := c.Fallback; f != nil {
		v.fallback = &table.Slot{At: table.AddrOf(c, f.Addr, f.Port, f.Forward), Forward: table.ForwardOf(f.Forward), Weight: 1, Role: table.Fallback}
	}
	return v
}

func atLeastOne(n int) int32 { return int32(min(max(1, n), math.MaxInt32)) }

// addReals makes the real servers in one piece.
func (v *virtual) addReals(now time.Time) {
	reals := make([]real, len(v.conf.Reals))
	v.reals = make([]*real, len(reals))
	shared := checkspec.Of(v.conf, v.conf.Request, v.conf.Receive)
	for i, rc := range v.conf.Reals {
		r := &reals[i]
		*r = real{virtual: v, order: int32(i), conf: rc, spec: shared, agent: agentBefore(v.conf), reached: 100, unchecked: true}
		if request := cmp.Or(rc.RequestURL(), rc.Request); request != v.conf.Request || rc.Receive != v.conf.Receive {
			r.spec = checkspec.Of(v.conf, request, rc.Receive)
		}
		r.Since = now
		v.reals[i] = r
	}
}

// realAt is the real server that the kernel knows by this address: of several
// in the file the last. It is nil if there is none.
func (v *virtual) realAt(at netip.AddrPort) *real {
	for i := len(v.reals) - 1; i >= 0; i-- {
		if r := v.reals[i]; r.conf.Addr == at.Addr() && r.at() == at {
			return r
		}
	}
	return nil
}

// realOf returns the real server of a destination, nil if it is for none.
func (v *virtual) realOf(s table.Slot) *real {
	if s.Role != table.Real {
		return nil
	}
	return v.reals[s.Place]
}

// roleAt returns the role and the place of a destination that the kernel has at an address.
func (v *virtual) roleAt(at netip.AddrPort) (table.Role, int32) {
	if r := v.realAt(at); r != nil {
		return table.Real, r.order
	}
	if v.isFallback(at) {
		return table.Fallback, 0
	}
	return table.Foreign, 0
}

// say notes what was logged and stands. It is false if it stood already.
func (v *virtual) say(text string) bool {
	if v.said[text] {
		return false
	}
	if v.said == nil {
		v.said = map[string]bool{}
	}
	v.said[text] = true
	return true
}

// adopt takes over what the kernel holds: a real server found there with a
// weight is up until a check says otherwise. Destinations that belong to
// nobody stay in have, where the first plan finds and purges them.
func (v *virtual) adopt(e *ipvs.Entry) {
	v.Actual = table.State{Present: true, Service: e.Service, Slots: table.SlotsOf(e)}
	for _, r := range v.reals {
		i, ok := v.Actual.Slots.Search(r.at())
		if !ok {
			continue
		}
		v.Actual.Slots[i].Role, v.Actual.Slots[i].Place = table.Real, r.order
		if v.Actual.Slots[i].Weight > 0 && r.Verdict == policy.Unchecked {
			r.Verdict = policy.Up
		}
	}
	if v.fallback == nil {
		return
	}
	if i, ok := v.Actual.Slots.Search(v.fallback.At); ok && v.Actual.Slots[i].Role == table.Foreign {
		v.Actual.Slots[i].Role = table.Fallback
	}
}

// find takes over what the kernel has of v, nil is nothing, in the place of what
// was believed.
func (v *virtual) find(e *ipvs.Entry) {
	before, hand := v.Actual, v.External
	if v.Actual, v.External = (table.State{}), nil; e != nil {
		v.adopt(e)
		v.keepCommanded(before, hand)
	}
}

// keepCommanded leaves what is in no file to the fallback command while that is in
// charge, which is while the kernel has no real server in service: the command has
// put it there, and takes it away itself. What an earlier load was to delete is not
// the command's: a real server of an earlier file, or what waits for its successor.
func (v *virtual) keepCommanded(before table.State, hand map[netip.AddrPort]table.External) {
	if v.conf.FallbackCommand == "" || slices.ContainsFunc(v.reals, v.serves) {
		return
	}
	for _, s := range v.Actual.Slots {
		_, known := before.Slots.Of(s.At)
		h, stays := hand[s.At]
		stays = stays && h.Role != table.Real && !h.Absent
		if s.Role == table.Foreign && (!known || stays) {
			v.Respect(s.At, table.External{Slot: s})
		}
	}
}

// inherit takes over what an earlier configuration's checks have found out
// about the same real servers, and puts these checks into before, in the order
// of v's real servers. What was believed of the table is there until find.
func (v *virtual) inherit(old *virtual, before []*check) {
	v.first, v.served, v.outage, v.fallbackState = old.first, old.served, old.outage, old.fallbackState
	v.Actual, v.External = old.Actual, old.External
	var known map[netip.AddrPort]*real // nil as long as the lists are the same
	for i, r := range v.reals {
		if known == nil && (i >= len(old.reals) || old.reals[i].conf.AddrPort() != r.conf.AddrPort()) {
			known = old.realsByName()
		}
		var o *real
		if known == nil {
			o = old.reals[i]
		} else {
			o = known[r.conf.AddrPort()]
		}
		if o != nil {
			r.inherit(o)
			before[i] = o.check
		}
	}
}

// realsByName is the real servers by how they are configured, of several the
// last.
func (v *virtual) realsByName() map[netip.AddrPort]*real {
	known := make(map[netip.AddrPort]*real, len(v.reals))
	for _, r := range v.reals {
		known[r.conf.AddrPort()] = r
	}
	return known
}
