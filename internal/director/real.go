package director

import (
	"net/netip"
	"unique"

	"ldirectord/conf"
)

// A real is one real server of one virtual service. There may be tens of
// thousands: what few of them have is a pointer, and what the configuration
// says is not said again.
type real struct {
	virtual     *virtual
	conf        *conf.RealServer
	manner      unique.Handle[manner] // how it is asked
	check       *check                // nil: nothing is asked (checktype on and off)
	maintenance string                // the file that takes it out, "" is none
	override    *Override             // what an operator ordered, nil is nothing
	turns       *turns                // when the verdict changed, nil is never
	tally
	order     int32  // in the file
	percent   uint16 // of its weight: 100 unless it starts slowly or its agent says otherwise; 0 is no new connections
	announced bool   // the log has its beginning
	climbing  bool   // its percent rises by itself
	warned    uint32 // that its certificate ends, Unix seconds
	kept      bool   // in although its checks fail (minalive)
	unchecked bool   // no check has finished since the start or the reload that added it
}

// name is the real server as it is configured: "10.1.0.1:80".
func (r *real) name() string { return r.conf.String() }

// event is one of r, to be completed.
func (r *real) event(k Kind) Event { return Event{Kind: k, Real: r.conf, R: r.name()} }

// at is where the kernel knows it.
func (r *real) at() netip.AddrPort {
	return destination(r.virtual.conf, r.conf.Addr, r.conf.Port, r.conf.Forward)
}

// slot is what the kernel is to hold of it with its full weight.
func (r *real) slot() slot {
	c := r.conf
	return slot{at: r.at(), real: r, weight: c.Weight, upper: c.Upper, lower: c.Lower, forward: forward(c.Forward)}
}

// in says whether the real server is to get traffic.
func (r *real) in() bool { return r.works() && !r.out() }

// works says whether the real server is fit to get connections, as far as
// checks and the maintenance directory go.
func (r *real) works() bool { return (r.verdict == up || r.kept) && r.maintenance == "" }

// ordered is the verb of what an operator ordered, "" is nothing.
func (r *real) ordered() string {
	if r.override == nil {
		return ""
	}
	return r.override.Verb
}

// out says whether an operator keeps the real server from getting connections.
func (r *real) out() bool { return r.ordered() == Drain || r.ordered() == Disable }

// draining says whether the real server keeps an entry with weight 0 because an
// operator drains it. Nobody has to have asked it yet: after a restart its
// connections go on.
func (r *real) draining() bool {
	return r.ordered() == Drain && r.verdict != down && r.maintenance == ""
}

// weight is what the real server is to have in the kernel while it is in.
func (r *real) weight() int {
	if r.ordered() == Weight {
		return r.override.Weight
	}
	if r.percent == 0 || r.conf.Weight == 0 {
		return 0
	}
	return max(1, r.conf.Weight*int(r.percent)/100)
}

// inherit takes over what an earlier configuration's checks have found out.
func (r *real) inherit(o *real) {
	r.tally, r.maintenance, r.warned = o.tally, o.maintenance, o.warned
	r.percent, r.climbing = o.percent, o.climbing
	r.turns = o.turns
	r.kept, r.unchecked = o.kept, o.unchecked
}
