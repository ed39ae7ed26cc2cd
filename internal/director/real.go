package director

import (
	"net/netip"
	"unique"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
)

// A real is one real server of one virtual service. There may be tens of
// thousands: what few of them have is a pointer, and what the configuration
// says is not said again.
type real struct {
	virtual     *virtual
	conf        *conf.RealServer
	spec        unique.Handle[checkspec.Spec] // of its check
	check       *check                        // nil: nothing is asked (checktype on and off)
	maintenance *fileOut                      // nil: no file has ever taken it out
	override    *report.Override              // what an operator ordered, nil is nothing
	turns       *record.Transitions           // when the verdict changed, nil is never
	policy.Tally
	order     int32  // in the file
	agent     int16  // the share of the weight that its agent wants, as policy.Server.Agent
	reached   uint8  // the share that slowstart has reached, in percent
	announced bool   // the log has its beginning
	warned    uint32 // that its certificate ends, Unix seconds
	kept      bool   // in although its checks fail (minalive)
	leaves    bool   // its checks have failed while it was in service, and minalive may keep it
	unchecked bool   // no check has finished since the start or the reload that added it
}

// name is the real server as it is configured: "10.1.0.1:80".
func (r *real) name() string { return r.conf.String() }

// event is one of r, to be completed.
func (r *real) event(k event.Kind) event.Event {
	return event.Event{Kind: k, Real: r.conf, R: r.name()}
}

// at is where the kernel knows it.
func (r *real) at() netip.AddrPort {
	return table.AddrOf(r.virtual.conf, r.conf.Addr, r.conf.Port, r.conf.Forward)
}

// slot is what the kernel is to hold of it with its full weight.
func (r *real) slot() table.Slot {
	c := r.conf
	return table.Slot{At: r.at(), Role: table.Real, Place: r.order, Weight: c.Weight, Upper: c.Upper, Lower: c.Lower, Forward: table.ForwardOf(c.Forward)}
}

// decide is what the table should hold of the real server.
func (r *real) decide() policy.Decision {
	s := policy.Server{
		Weight: r.conf.Weight, Verdict: r.Verdict, Kept: r.kept, Maintenance: r.file() != "",
		Agent: int(r.agent), Reached: int(r.reached),
	}
	if r.override != nil {
		s.Order, s.OrderWeight = policyOrders[r.override.Verb], r.override.Weight
	}
	if s.Agent == policy.AgentUnknown {
		var held table.Slot
		held, s.Held = r.virtual.Actual.Slots.Of(r.at())
		s.Before = held.Weight
	}
	return policy.Decide(s)
}

var policyOrders = map[string]policy.Order{report.Drain: policy.Drained, report.Disable: policy.Disabled, report.Weight: policy.Weighted}

// in says whether the real server is to get traffic.
func (r *real) in() bool { return r.decide().In }

// ordered is the verb of what an operator ordered, "" is nothing.
func (r *real) ordered() string {
	if r.override == nil {
		return ""
	}
	return r.override.Verb
}

// out says whether an operator keeps the real server from getting connections.
func (r *real) out() bool { return r.ordered() == report.Drain || r.ordered() == report.Disable }

// weight is what the real server is to have in the kernel while it is in.
func (r *real) weight() int { return r.decide().Weight }

// inherit takes over what an earlier configuration's checks have found out.
func (r *real) inherit(o *real) {
	r.Tally, r.maintenance, r.warned = o.Tally, o.maintenance, o.warned
	if r.virtual.conf.CheckType == o.virtual.conf.CheckType {
		r.agent = o.agent
	}
	if r.virtual.conf.SlowStart > 0 {
		r.reached = o.reached
	}
	r.turns = o.turns
	r.kept, r.leaves, r.unchecked = o.kept, o.leaves, o.unchecked
}
