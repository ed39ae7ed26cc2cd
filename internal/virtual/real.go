package virtual

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unique"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
)

// A Real is one real server of one virtual service. There may be tens of
// thousands: rare fields are pointers, and the configuration's values are not
// repeated.
type Real struct {
	Virtual     *Service
	Conf        *conf.RealServer
	Spec        unique.Handle[checkspec.Spec] // of its check
	Checks      []*Check                      // none with checktype on and off, else one, or those of Several
	Maintenance *Maintenance                  // nil: no file has ever taken it out
	Override    *report.Override              // what an operator ordered, nil is nothing
	Transitions *record.Transitions           // when its condition changed, nil is never
	policy.Tally
	Order     int32  // in the file
	Agent     int16  // the share of the weight that its agent wants, as policy.Server.Agent
	Reached   uint8  // the share that slowstart has reached, in percent
	Announced bool   // the log has its beginning
	warned    uint32 // that its certificate ends, Unix seconds
	Kept      bool   // in although its checks fail (minalive)
	Leaves    bool   // its checks have failed while it was in service, and minalive may keep it
	Unchecked bool   // no check has finished since the start or the reload that added it
}

// Name is the real server as it is configured: "10.1.0.1:80".
func (r *Real) Name() string { return r.Conf.String() }

// Event is one of r, to be completed.
func (r *Real) Event(k event.Kind) event.Event {
	return event.Event{Kind: k, Real: r.Conf, R: r.Name()}
}

// At is where the kernel knows it.
func (r *Real) At() netip.AddrPort {
	return table.AddrOf(r.Virtual.Conf, r.Conf.Addr, r.Conf.Port, r.Conf.Forward)
}

// slot is what the kernel is to hold of it with its full weight.
func (r *Real) slot() table.Slot {
	c, at := r.Conf, r.At()
	s := table.Slot{At: at, Role: table.Real, Place: r.Order, Weight: c.Weight, Forward: table.ForwardOf(c.Forward), Mapped: c.Port != at.Port()}
	limit(r, &s)
	return s
}

// decide is what the table should hold of the real server.
func (r *Real) decide() policy.Decision { return policy.Decide(serverOf(r)) }

// serverOf is all that the decision about r reads.
func serverOf(r *Real) policy.Server {
	s := policy.Server{
		Weight: r.Conf.Weight, Verdict: r.Verdict, Cause: causeOf(r), Kept: r.Kept, Maintenance: r.File() != "",
		Agent: int(r.Agent), Reached: int(r.Reached), Draining: r.Drains(), Quiescent: r.Virtual.Conf.Quiesces(), MayDrain: r.Verdict == policy.Unchecked && r.Virtual.Conf.MayDrain(),
	}
	if r.Override != nil {
		s.Order, s.OrderWeight, s.OrderShare = policyOrders[r.Override.Verb], r.Override.Weight, r.Override.Percent
	}
	if l := r.Virtual.leavings[r]; l != nil {
		s.Expired, s.Waits = l.expired, l.waits()
	}
	var mute bool
	s.Asked, mute = asked(r)
	s.Silent = (s.Agent != policy.AgentUnknown || agentSilent(r)) && (mute || !s.Asked.Unknown || s.Order == policy.Weighted)
	if s.Unknown() {
		s.Found = r.Virtual.found[r]
	}
	if s.Joint = jointFor(r); s.Unknown() || s.MayDrain || s.Joint == policy.AsFound {
		var held table.Slot
		held, s.Held = r.Virtual.Actual.Slots.Of(r.At())
		s.Before = held.Weight
	}
	return s
}

// causeOf returns the cause of a verdict on r other than up.
func causeOf(r *Real) policy.Cause {
	switch {
	case r.Verdict == policy.Up:
	case r.IsOff():
		return policy.NoCheck
	case r.maintenanceOver():
		return policy.MaintenanceOver
	case r.Damped():
		return policy.Flaps
	case r.Verdict == policy.Down && r.SelfDrain().was():
		return policy.DrainedBefore
	}
	return policy.ByChecks
}

var policyOrders = map[string]policy.Order{report.Drain: policy.Drained, report.Disable: policy.Disabled, report.Weight: policy.Weighted}

// In reports whether the real server is to get traffic.
func (r *Real) In() bool { return r.decide().In }

// ordered is the verb of what an operator ordered, "" is nothing.
func (r *Real) ordered() string {
	if r.Override == nil {
		return ""
	}
	return r.Override.Verb
}

// Out reports whether an operator keeps the real server from getting connections.
func (r *Real) Out() bool { return r.ordered() == report.Drain || r.ordered() == report.Disable }

// inherit takes over what an earlier configuration's checks have found out.
func (r *Real) inherit(o *Real) {
	r.Tally, r.Maintenance, r.warned = o.Tally, o.Maintenance, o.warned
	inheritParts(r, o)
	inheritAgent(r, o)
	if r.Virtual.Conf.MayDrain() {
		setSelfDrain(r, o.SelfDrain())
	}
	if r.Virtual.Conf.SlowStart > 0 {
		r.Reached = o.Reached
	}
	if d := o.Damping(); d != nil && r.Virtual.Conf.FlapDamping.On() {
		r.Virtual.SetDamping(r, d)
	}
	if l := o.Virtual.leavings[o]; l != nil {
		setLeaving(r, *l)
	}
	r.Transitions = o.Transitions
	r.Checks = append(r.Checks, o.Checks...)
	r.Kept, r.Leaves, r.Unchecked = o.Kept, o.Leaves, o.Unchecked
}

// Target returns the name of r and of its virtual service.
func (r *Real) Target() report.Target { return report.Target{Virtual: r.Virtual.ID, Real: r.Name()} }

// Called reports whether an operator means v by a name.
func (v *Service) Called(name string) bool {
	return report.VirtualCalled(v.ID, name, v.Conf.Name, v.Conf.ServiceName)
}

// Called reports whether an operator means r by a name: an address, with or without port, or a
// host name.
func (r *Real) Called(name string) bool {
	return report.RealCalled(r.Conf.AddrPort(), r.Conf.Host, name)
}

// CalledByName reports whether an operator means r by its host as the file has it, with or
// without port.
func (r *Real) CalledByName(name string) bool {
	if strings.EqualFold(name, r.Conf.Host) {
		return true
	}
	host, port, ok := strings.Cut(name, ":")
	return ok && strings.EqualFold(host, r.Conf.Host) && port == strconv.Itoa(int(r.Conf.Port))
}

// StartSlowly lets a real server that came back begin with a part of its
// weight, unless its entry of the kernel is in service with all of it by another one.
func (r *Real) StartSlowly() {
	if r.Reached = policy.Reached(r.Virtual.Conf.SlowStart, 0); r.Reached == 100 {
		return
	}
	if slices.ContainsFunc(r.Virtual.Reals, func(o *Real) bool {
		return o != r && o.Conf.Addr == r.Conf.Addr && o.At() == r.At() && o.Reached == 100 && o.In()
	}) {
		r.Reached = 100
	}
}
