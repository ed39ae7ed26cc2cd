package virtual

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// State returns the state of a configured virtual service. e is what the
// kernel has of it, nil is nothing.
func (v *Service) State(e *ipvs.Entry, now time.Time) report.VirtualState {
	service, present := v.Service, e != nil
	if present {
		service = e.Service
	} else {
		e = &ipvs.Entry{}
	}
	s := report.VirtualState{
		ID: v.ID, Name: v.Name, Listed: service.Listed(), Kernel: service.Key.Listed(), ServiceName: v.Conf.ServiceName, Written: v.Conf.Name,
		Quorum: v.Joint.state(), Present: present, Check: checkWord(v.Conf), Fallback: v.FallbackName(), Notices: v.notices(),
		Stats: e.Stats, Reals: make([]report.RealState, 0, len(v.Reals)),
	}
	held := make(map[netip.AddrPort]*ipvs.Destination, len(e.Destinations))
	for i := range e.Destinations {
		held[e.Destinations[i].AddrPort] = &e.Destinations[i]
	}
	desired := v.Desired(nil)
	for _, r := range v.Reals {
		state := r.state(held[r.At()], desired)
		state.Availability = report.AvailabilityOf(state.Conditions, now)
		state.Hours = r.Transitions.Hours(now)
		state.Day = report.DayOf(state.Hours, state.Conditions, now)
		s.Reals = append(s.Reals, state)
		if state.InService {
			s.In++
		}
	}
	for _, r := range v.Reals {
		delete(held, r.At())
	}
	for i := range e.Destinations {
		if dst := &e.Destinations[i]; held[dst.AddrPort] == dst {
			s.Reals = append(s.Reals, v.otherState(dst, desired))
			s.FallbackIn = s.FallbackIn || v.isFallback(dst.AddrPort)
		}
	}
	return s
}

func (v *Service) isFallback(at netip.AddrPort) bool {
	return v.Fallback != nil && v.Fallback.At == at
}

// checkWord returns the kind of check in a word or two.
func checkWord(v *conf.VirtualService) string {
	switch v.CheckType {
	case conf.CheckNegotiate:
		return v.Service
	case conf.CheckCombined:
		return fmt.Sprintf("%s, %d connects", v.Service, v.Combined)
	}
	return v.CheckType.String()
}

// state returns the state of a real server. dst is what the kernel has of it,
// nil is nothing.
func (r *Real) state(dst *ipvs.Destination, desired table.State) report.RealState {
	name, at, is := r.Name(), r.At(), r.decide()
	s := report.RealState{RealName: report.RealName{Name: name, At: name, Forward: table.ForwardOf(r.Conf.Forward).Listed()}, State: stateOf(r, is), Backup: r.Conf.Backup}
	if at != r.Conf.AddrPort() {
		s.At = at.String()
	}
	if dst != nil {
		s.Hold(dst)
	}
	s.Up, s.Unchecked = r.lastResults()
	if s.InService = s.Weight > 0; !s.InService {
		s.OutReason = outReason(is)
	}
	s.Since, s.Failures, s.FailureCount = r.stateSince(s.State), int(r.Failures), int(r.Virtual.Limits.Fall)
	if r.maintenanceOver() {
		s.Failures = 0
	}
	if r.Damped() {
		s.DampedUntil = r.Damping().Until
	}
	s.WaitingSince, s.QuiescentUntil = left(r)
	if d := r.SelfDrain(); d != nil && d.Announced {
		s.SelfDrain = &report.SelfDrain{Since: d.Since, Answer: d.Answer}
	}
	wanted, _ := desired.Slots.Of(at)
	s.Maintenance, s.Configured, s.Wanted = r.File(), r.Conf.Weight, wanted.Weight
	if h := r.Conf.Host; h != "" && h != r.Conf.Addr.String() && h != "["+r.Conf.Addr.String()+"]" {
		s.Host = h
	}
	if r.Override != nil {
		o := *r.Override
		s.Override = &o
	}
	if h, ok := r.Virtual.External[at]; ok {
		s.Difference = r.Virtual.Difference(at, h, desired)
	}
	s.Transitions, s.Conditions = r.Transitions.Count(), historyOf(r)
	if SeveralOf(r) != nil {
		worst := SeveralOf(r).worst()
		s.FailureCount = int(worst.Limits.Fall)
		s.Several = SeveralOf(r).states()
		SeveralOf(r).describe(&s)
		return s
	}
	for _, c := range r.Checks {
		c.describe(&s)
	}
	return s
}

// lastResults is the result of the checks of r, also while it is in maintenance or damped, and
// whether none has finished yet.
func (r *Real) lastResults() (isUp, unchecked bool) {
	if r.File() != "" || r.maintenanceOver() || r.Damped() {
		if SeveralOf(r) != nil {
			verdict := SeveralOf(r).lastScore().Verdict()
			return verdict == policy.Up, verdict == policy.Unchecked
		}
		for _, c := range r.Checks {
			if o, ok := c.Past.LastFinished(); ok {
				return o.Err() == nil, false
			}
		}
	}
	unchecked = r.Verdict == policy.Unchecked || r.Unchecked && len(r.Checks) > 0
	return r.Verdict == policy.Up && !unchecked, unchecked
}

// stateSince is when r came into a state. It is up or down by its checks since the
// verdict, or since nothing else keeps it out any more.
func (r *Real) stateSince(s report.State) time.Time {
	switch s {
	case report.StateMaintenance:
		return r.Maintenance.Since
	case report.StateDrained, report.StateDisabled:
		return r.Override.Since
	case report.StateDamped:
		return r.Damping().Since
	case report.StateSelfDrained:
		if d := r.SelfDrain(); d != nil { // else it has drained itself while it was in maintenance
			return d.Since
		}
	}
	since, is := r.Transitions.Last()
	if is == r.condition() && is != report.ConditionPlanned && since.After(r.Since) {
		return since
	}
	return r.Since
}

// IsOff reports whether checktype = off keeps r out of service.
func (r *Real) IsOff() bool {
	return NeverChecked(r) && r.Verdict == policy.Unchecked
}

var verdictWords = [...]report.State{policy.Unchecked: report.StateUnchecked, policy.Up: report.StateUp, policy.Down: report.StateDown}

// describe adds what the check has found out.
func (c *Check) describe(s *report.RealState) {
	if ends := c.CertificateEnds.Load(); ends != 0 {
		s.CertificateEnds = time.Unix(ends, 0).UTC()
	}
	p := &c.Past
	s.Checks = p.Checks()
	s.Latencies = p.Latencies()
	s.Last = c.last()
}

// last is the last result, nil for none.
func (c *Check) last() *report.Last {
	o, ok := c.Past.Last()
	if !ok {
		return nil
	}
	return &report.Last{Time: o.Time(), Took: report.InSeconds(o.Took()), Up: o.Err() == nil, Text: o.Words()}
}

// otherState returns the state of a destination without a configured real
// server: the fallback, or a foreign one.
func (v *Service) otherState(dst *ipvs.Destination, desired table.State) report.RealState {
	s := report.ForeignReal(dst)
	if v.isFallback(dst.AddrPort) {
		s.State, s.Fallback, s.Configured = report.StateFallback, true, v.Fallback.Weight
		wanted, _ := desired.Slots.Of(dst.AddrPort)
		s.Wanted = wanted.Weight
	}
	if h, ok := v.External[dst.AddrPort]; ok {
		s.Difference = v.Difference(dst.AddrPort, h, desired)
	}
	return s
}
