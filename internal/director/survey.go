package director

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Snapshot takes a snapshot. It fails only with ctx.
func (d *Director) Snapshot(ctx context.Context) (*report.Snapshot, error) {
	var s *report.Snapshot
	err := d.do(ctx, func() { s = d.snapshot() })
	return s, err
}

func (d *Director) snapshot() *report.Snapshot {
	now := d.now()
	entries, readable := d.kernel.Show(now)
	if !readable {
		entries = d.believed()
	}
	s := &report.Snapshot{
		Time: now, Config: d.conf.Path, DryRun: d.o.DryRun, State: stateWord(d.status), Started: d.started, Loaded: d.loaded,
		Ready: d.checks.unheard == 0, Kernel: d.kernel.Report(), Lag: d.checks.lag(now),
		Virtuals: make([]report.VirtualState, 0, len(d.virtuals)),
	}
	s.Lag.Turn = report.InSeconds(d.longest.Within(now.Sub(d.started)))
	byKey := table.ByKey(entries)
	for _, v := range d.virtuals {
		e := byKey[v.service.Key]
		delete(byKey, v.service.Key)
		s.Virtuals = append(s.Virtuals, v.state(e, now))
	}
	for i := range entries {
		if e := &entries[i]; byKey[e.Service.Key] == e {
			s.Virtuals = append(s.Virtuals, report.ForeignVirtual(e))
		}
	}
	s.Overrides = d.unusedOverrides()
	if m := d.maintenance; m.Dir != "" {
		s.Maintenance = &m
	}
	return s
}

// believed is the table as it is believed to be.
func (d *Director) believed() []ipvs.Entry {
	var entries []ipvs.Entry
	for _, v := range d.virtuals {
		if !v.Actual.Present {
			continue
		}
		e := ipvs.Entry{Service: v.Actual.Service}
		for _, s := range v.Actual.Slots {
			e.Destinations = append(e.Destinations, s.Destination())
		}
		entries = append(entries, e)
	}
	return entries
}

// unusedOverrides are those of what is in no configuration.
func (d *Director) unusedOverrides() []report.Override {
	list := d.overrideList()
	if len(list) == 0 {
		return nil
	}
	used := map[report.Target]bool{}
	for r := range d.concerned() {
		used[r.target()] = true
	}
	return slices.DeleteFunc(list, func(o report.Override) bool { return used[o.Target()] })
}

func stateWord(s conf.Status) string {
	switch s {
	case conf.Starting:
		return "starting"
	case conf.Stopping:
		return "stopping"
	case conf.Reloading:
		return "reloading"
	}
	return "running"
}

// state is how it stands with a configured virtual service. e is what the
// kernel has of it, nil is nothing.
func (v *virtual) state(e *ipvs.Entry, now time.Time) report.VirtualState {
	service, present := v.service, e != nil
	if present {
		service = e.Service
	} else {
		e = &ipvs.Entry{}
	}
	s := report.VirtualState{
		ID: v.id, Name: v.name, Listed: service.Listed(), Kernel: service.Key.Listed(), ServiceName: v.conf.ServiceName,
		Present: present, Check: checkWord(v.conf), Fallback: v.fallbackName(), Notices: v.notices(),
		Stats: e.Stats, Reals: make([]report.RealState, 0, len(v.reals)),
	}
	held := make(map[netip.AddrPort]*ipvs.Destination, len(e.Destinations))
	for i := range e.Destinations {
		held[e.Destinations[i].AddrPort] = &e.Destinations[i]
	}
	desired := v.desired(nil)
	for _, r := range v.reals {
		state := r.state(held[r.at()], desired)
		state.Availability = report.AvailabilityOf(state.Conditions, now)
		s.Reals = append(s.Reals, state)
		if r.in() {
			s.In++
		}
	}
	for _, r := range v.reals {
		delete(held, r.at())
	}
	for i := range e.Destinations {
		if dst := &e.Destinations[i]; held[dst.AddrPort] == dst {
			s.Reals = append(s.Reals, v.otherState(dst, desired))
			s.FallbackIn = s.FallbackIn || v.isFallback(dst.AddrPort)
		}
	}
	return s
}

func (v *virtual) isFallback(at netip.AddrPort) bool {
	return v.fallback != nil && v.fallback.At == at
}

// checkWord says in a word or two what is asked.
func checkWord(v *conf.VirtualService) string {
	switch v.CheckType {
	case conf.CheckNegotiate:
		return v.Service
	case conf.CheckCombined:
		return fmt.Sprintf("%s, %d connects", v.Service, v.Combined)
	}
	return v.CheckType.String()
}

// notices are the refusals and differences that were logged and still stand.
func (v *virtual) notices() []string {
	var list []string
	for text := range v.said {
		if what, ok := strings.CutPrefix(text, differs); ok {
			list = append(list, what)
		}
		if what, ok := strings.CutPrefix(text, refusal("")); ok {
			list = append(list, "the kernel refuses: "+what)
		}
	}
	slices.Sort(list)
	return list
}

// state is how it stands with a real server. dst is what the kernel has of it,
// nil is nothing.
func (r *real) state(dst *ipvs.Destination, desired table.State) report.RealState {
	name, at := r.name(), r.at()
	s := report.RealState{RealName: report.RealName{Name: name, At: name, Forward: table.ForwardOf(r.conf.Forward).Listed()}, State: r.word()}
	if at != r.conf.AddrPort() {
		s.At = at.String()
	}
	if dst != nil {
		s.Hold(dst)
	}
	s.Up, s.Unchecked = r.checksSay()
	if s.InService = s.Weight > 0; !s.InService {
		s.OutReason = r.outReason()
	}
	s.Since, s.Failures, s.FailureCount = r.stateSince(s.State), int(r.Failures), int(r.virtual.limits.Fall)
	if r.maintenanceOver() {
		s.Failures = 0
	}
	wanted, _ := desired.Slots.Of(at)
	s.Maintenance, s.Configured, s.Wanted = r.file(), r.conf.Weight, wanted.Weight
	if h := r.conf.Host; h != "" && h != r.conf.Addr.String() && h != "["+r.conf.Addr.String()+"]" {
		s.Host = h
	}
	if r.override != nil {
		o := *r.override
		s.Override = &o
	}
	if h, ok := r.virtual.External[at]; ok {
		s.Difference = r.virtual.difference(at, h, desired)
	}
	s.Transitions, s.Conditions = r.turns.Count(), r.history()
	if r.check != nil {
		r.check.describe(&s)
	}
	return s
}

// checksSay is what the checks say of r, also while it is in maintenance, and
// whether none has finished yet.
func (r *real) checksSay() (isUp, unchecked bool) {
	if (r.file() != "" || r.maintenanceOver()) && r.check != nil {
		if o, ok := r.check.past.LastFinished(); ok {
			return o.Err() == nil, false
		}
	}
	unchecked = r.Verdict == policy.Unchecked || r.unchecked && r.check != nil
	return r.Verdict == policy.Up && !unchecked, unchecked
}

// outReason says in a word why r is out of service.
func (r *real) outReason() string {
	switch {
	case r.file() != "" || r.maintenanceOver():
		return "maintenance"
	case r.out():
		return "order"
	case r.Verdict == policy.Unchecked:
		return "unchecked"
	case r.Verdict == policy.Down && !r.kept:
		return "check"
	case r.weight() == 0:
		return "weight"
	}
	return "external"
}

// stateSince is when r came into a state. It is up or down by its checks since the
// verdict, or since nothing else keeps it out any more.
func (r *real) stateSince(s report.State) time.Time {
	switch s {
	case report.StateMaintenance:
		return r.maintenance.since
	case report.StateDrained, report.StateDisabled:
		return r.override.Since
	}
	since, is := r.turns.Last()
	if is == r.condition() && is != report.ConditionPlanned && since.After(r.Since) {
		return since
	}
	return r.Since
}

func (r *real) word() report.State {
	switch {
	case r.file() != "":
		return report.StateMaintenance
	case r.ordered() == report.Disable:
		return report.StateDisabled
	case r.ordered() == report.Drain && (r.Verdict != policy.Down || r.maintenanceOver()):
		return report.StateDrained
	case r.maintenanceOver():
		return report.StateMaintenance
	}
	if r.unchecked && r.Verdict != policy.Down && r.virtual.conf.CheckType != conf.CheckOn {
		return report.StateUnchecked // also if it is in service, as it was found
	}
	return verdictWords[r.Verdict]
}

var verdictWords = [...]report.State{policy.Unchecked: report.StateUnchecked, policy.Up: report.StateUp, policy.Down: report.StateDown}

// describe adds what the check has found out.
func (c *check) describe(s *report.RealState) {
	if ends := c.certificateEnds.Load(); ends != 0 {
		s.CertificateEnds = time.Unix(ends, 0).UTC()
	}
	p := &c.past
	s.Checks = p.Checks()
	s.Latencies = p.Latencies()
	if o, ok := p.Last(); ok {
		s.Last = &report.Last{Time: o.Time(), Took: report.InSeconds(o.Took()), Up: o.Err() == nil, Text: o.Words()}
	}
}

// otherState is how it stands with a destination that is no configured real
// server: the fallback, or somebody else's.
func (v *virtual) otherState(dst *ipvs.Destination, desired table.State) report.RealState {
	s := report.ForeignReal(dst)
	if v.isFallback(dst.AddrPort) {
		s.State, s.Fallback, s.Configured = report.StateFallback, true, v.fallback.Weight
		wanted, _ := desired.Slots.Of(dst.AddrPort)
		s.Wanted = wanted.Weight
	}
	if h, ok := v.External[dst.AddrPort]; ok {
		s.Difference = v.difference(dst.AddrPort, h, desired)
	}
	return s
}
