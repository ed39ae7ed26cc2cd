package director

import (
	"net/netip"
	"slices"
	"time"

	"ldirectord/conf"
	"ldirectord/ipvs"
)

// A virtual is a configured virtual service and all that is known of it.
type virtual struct {
	conf    *conf.VirtualService
	name    string // "10.0.0.1:80"
	id      string // "tcp:10.0.0.1:80"
	service ipvs.Service
	invalid error // why no kernel would take the service, nil if one may

	reals    []*real
	fallback *ipvs.Destination // nil is none

	have        held                      // what the kernel is believed to hold
	hand        map[netip.AddrPort]byHand // what somebody set in the kernel beside us
	handService *ipvs.Service             // the same for the service itself, nil is nothing
	said        map[string]bool           // refusals and differences that were logged and still stand

	retry     bool      // something the kernel refused is to be tried again
	reported  bool      // anyUp was reported at least once
	anyUp     bool      // a real server is in, as last reported
	goneSince time.Time // meaningful if not anyUp
	news      []Event   // verdicts to report once the kernel knows
}

// held is the kernel's view of one virtual service.
type held struct {
	present bool
	service ipvs.Service
	slots   map[netip.AddrPort]slot
}

// A slot is a destination and whom it is for.
type slot struct {
	ipvs.Destination
	real     *real // nil: nobody's, or the fallback's
	fallback bool
}

// byHand is a destination as somebody other than us has left it.
type byHand struct {
	ipvs.Destination
	absent bool
}

// A real is one real server of one virtual service.
type real struct {
	virtual *virtual
	order   int // in the file
	conf    *conf.RealServer
	name    string           // "10.1.0.1:80", as configured
	dst     ipvs.Destination // in the kernel, with its full weight
	check   *check           // nil: nothing is asked (checktype on and off)
	tally
	announced   bool      // the log has its beginning
	maintenance string    // the file that takes it out, "" is none
	climbing    bool      // its percent rises by itself
	percent     int       // of its weight: 100 unless it starts slowly or its agent says otherwise; 0 is no new connections
	warned      time.Time // that its certificate ends
	override    Override  // what an operator ordered; without a verb nothing
	turns       turns     // when the verdict changed
	kept        bool      // in although its checks fail (minalive)
}

// in says whether the real server is to get traffic.
func (r *real) in() bool { return r.works() && !r.out() }

// weight is what the real server is to have in the kernel while it is in.
func (r *real) weight() int {
	if r.override.Verb == Weight {
		return r.override.Weight
	}
	if r.percent == 0 || r.dst.Weight == 0 {
		return 0
	}
	return max(1, r.dst.Weight*r.percent/100)
}

func (v *virtual) limits() limits {
	return limits{fall: max(1, v.conf.FailureCount), rise: max(1, v.conf.RiseCount)}
}

// newVirtual is a virtual service of which nothing is known yet.
func newVirtual(c *conf.VirtualService, now time.Time) *virtual {
	v := &virtual{
		conf:      c,
		name:      c.String(),
		id:        c.ID(),
		said:      map[string]bool{},
		hand:      map[netip.AddrPort]byHand{},
		have:      held{slots: map[netip.AddrPort]slot{}},
		goneSince: now,
	}
	v.service, v.invalid = service(c)
	for i, rc := range c.Reals {
		r := &real{virtual: v, order: i, conf: rc, name: rc.String(), percent: 100}
		r.dst = destination(c, rc.Addr, rc.Port, rc.Forward)
		r.dst.Weight, r.dst.Upper, r.dst.Lower = rc.Weight, rc.Upper, rc.Lower
		r.since = now
		v.reals = append(v.reals, r)
	}
	if f := c.Fallback; f != nil {
		dst := destination(c, f.Addr, f.Port, f.Forward)
		dst.Weight = 1
		v.fallback = &dst
	}
	return v
}

// realAt is the real server that the kernel knows by this address: of several
// in the file the last. It is nil if there is none.
func (v *virtual) realAt(at netip.AddrPort) *real {
	for _, r := range slices.Backward(v.reals) {
		if r.dst.AddrPort == at {
			return r
		}
	}
	return nil
}

// adopt takes over what the kernel holds: a real server found there with a
// weight is up until a check says otherwise. Destinations that belong to
// nobody stay in have, where the first plan finds and purges them.
func (v *virtual) adopt(e ipvs.Entry) {
	v.have = held{present: true, service: e.Service, slots: make(map[netip.AddrPort]slot, len(e.Destinations))}
	for _, dst := range e.Destinations {
		v.have.slots[dst.AddrPort] = slot{Destination: dst}
	}
	for _, r := range v.reals {
		s, ok := v.have.slots[r.dst.AddrPort]
		if !ok {
			continue
		}
		s.real = r
		v.have.slots[r.dst.AddrPort] = s
		if s.Weight > 0 && r.verdict == unproven {
			r.verdict = up
		}
	}
	if v.fallback == nil {
		return
	}
	if s, ok := v.have.slots[v.fallback.AddrPort]; ok && s.real == nil {
		s.fallback = true
		v.have.slots[v.fallback.AddrPort] = s
	}
}

// inherit takes over what an earlier configuration's checks have found out
// about the same real servers.
func (v *virtual) inherit(old *virtual) {
	v.reported, v.anyUp, v.goneSince = old.reported, old.anyUp, old.goneSince
	known := make(map[string]*real, len(old.reals))
	for _, r := range old.reals {
		known[r.name] = r
	}
	for _, r := range v.reals {
		if o, ok := known[r.name]; ok {
			r.tally, r.maintenance, r.warned = o.tally, o.maintenance, o.warned
			r.percent, r.climbing = o.percent, o.climbing
			r.turns = o.turns
			r.kept = o.kept
		}
	}
}
