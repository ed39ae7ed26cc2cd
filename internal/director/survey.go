package director

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ldirectord/conf"
	"ldirectord/ipvs"
)

// tableAge is how old a look at the kernel's table may be for a snapshot, so
// that many who look do not keep the director from its work.
const tableAge = 250 * time.Millisecond

// Snapshot takes a snapshot. It fails only with ctx.
func (d *Director) Snapshot(ctx context.Context) (*Snapshot, error) {
	var s *Snapshot
	err := d.do(ctx, func() { s = d.snapshot() })
	return s, err
}

func (d *Director) snapshot() *Snapshot {
	now := d.now()
	if now.Sub(d.kernel.read) > tableAge {
		d.read()
	}
	s := &Snapshot{
		Time: now, Config: d.conf.Path, State: stateWord(d.status), Started: d.started, Loaded: d.loaded,
		Ready: len(d.unheard) == 0, Kernel: d.kernel.state(), Lag: d.lag(now),
		Virtuals: make([]VirtualState, 0, len(d.virtuals)),
	}
	entries := d.kernel.byKey()
	for _, v := range d.virtuals {
		e, present := entries[v.service.Key]
		delete(entries, v.service.Key)
		s.Virtuals = append(s.Virtuals, v.state(e, present))
	}
	for _, e := range d.kernel.table {
		if _, foreign := entries[e.Service.Key]; foreign {
			s.Virtuals = append(s.Virtuals, foreignState(e))
		}
	}
	s.Overrides = d.unusedOverrides()
	return s
}

// unusedOverrides are those of what is in no configuration.
func (d *Director) unusedOverrides() []Override {
	list := d.overrideList()
	if len(list) == 0 {
		return nil
	}
	used := map[target]bool{}
	for _, v := range d.virtuals {
		for _, r := range v.reals {
			used[target{v.id, r.name}] = true
		}
	}
	return slices.DeleteFunc(list, func(o Override) bool { return used[o.target()] })
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

func (d *Director) lag(now time.Time) Lag {
	l := d.sched.Lag()
	return Lag{
		Checks: len(d.checks), Running: l.Running, Overdue: l.Overdue, Worst: inSeconds(l.Worst),
		Silent: inSeconds(max(0, now.Sub(d.sched.LastTick()))), Unheard: len(d.unheard),
	}
}

// state is how it stands with a configured virtual service. e is what the
// kernel has of it.
func (v *virtual) state(e ipvs.Entry, present bool) VirtualState {
	service := v.service
	if present {
		service = e.Service
	}
	s := VirtualState{
		ID: v.id, Name: v.name, Listed: service.Listed(), Kernel: service.Key.Listed(), ServiceName: v.conf.ServiceName,
		Present: present, Check: checkWord(v.conf), Fallback: v.fallbackName(), Notices: v.notices(),
		Stats: e.Stats, Reals: make([]RealState, 0, len(v.reals)),
	}
	held := make(map[netip.AddrPort]ipvs.Destination, len(e.Destinations))
	for _, dst := range e.Destinations {
		held[dst.AddrPort] = dst
	}
	desired := v.desired()
	for _, r := range v.reals {
		dst, present := held[r.dst.AddrPort]
		s.Reals = append(s.Reals, r.state(dst, present, desired))
		if r.in() {
			s.In++
		}
	}
	for _, r := range v.reals {
		delete(held, r.dst.AddrPort)
	}
	for _, dst := range e.Destinations {
		if _, other := held[dst.AddrPort]; other {
			s.Reals = append(s.Reals, v.otherState(dst, desired))
			s.FallbackIn = s.FallbackIn || v.isFallback(dst.AddrPort)
		}
	}
	return s
}

func (v *virtual) isFallback(at netip.AddrPort) bool {
	return v.fallback != nil && v.fallback.AddrPort == at
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

// state is how it stands with a real server. dst is what the kernel has of it.
func (r *real) state(dst ipvs.Destination, present bool, desired held) RealState {
	s := RealState{Name: r.name, At: r.name, State: r.word(), Up: r.verdict == up, Forward: r.dst.Forward.Listed()}
	if r.dst.AddrPort != r.conf.AddrPort() {
		s.At = r.dst.AddrPort.String()
	}
	if present {
		s.hold(dst)
	}
	s.Since, s.Failures, s.FailureCount = r.since, r.failures, r.virtual.limits().fall
	s.Maintenance, s.Configured, s.Wanted = r.maintenance, r.conf.Weight, desired.slots[r.dst.AddrPort].Weight
	if h := r.conf.Host; h != "" && h != r.conf.Addr.String() && h != "["+r.conf.Addr.String()+"]" {
		s.Host = h
	}
	if r.override.Verb != "" {
		o := r.override
		s.Override = &o
	}
	if h, ok := r.virtual.hand[r.dst.AddrPort]; ok {
		s.Difference = r.virtual.difference(r.dst.AddrPort, h, desired)
	}
	s.Transitions, s.Turns = r.turns.total, slices.Clone(r.turns.last)
	if r.check != nil {
		r.check.describe(&s)
	}
	return s
}

func (r *real) word() State {
	switch {
	case r.maintenance != "":
		return StateMaintenance
	case r.override.Verb == Disable:
		return StateDisabled
	case r.override.Verb == Drain && r.verdict != down:
		return StateDrained
	}
	return verdictWords[r.verdict]
}

var verdictWords = [...]State{unproven: StateUnproven, up: StateUp, down: StateDown}

// describe adds what the check has found out.
func (c *check) describe(s *RealState) {
	if ends := c.certificateEnds.Load(); ends != 0 {
		s.CertificateEnds = time.Unix(ends, 0).UTC()
	}
	p := &c.past
	s.Checks = Checks{
		Up: p.count - p.down - p.local, Down: p.down, Local: p.local, Took: inSeconds(p.took), Buckets: slices.Clone(p.buckets[:]),
	}
	s.Latencies = p.recent()
	if o, ok := p.last(); ok {
		s.Last = &Last{Time: time.Unix(0, o.at), Took: inSeconds(time.Duration(o.took)), Up: o.err == nil, Text: o.words()}
	}
}

// destinationState is how it stands with a destination of which nothing else
// is known.
func destinationState(dst ipvs.Destination) RealState {
	at := dst.AddrPort.String()
	s := RealState{Name: at, At: at, State: StateForeign}
	s.hold(dst)
	return s
}

// hold takes over what the kernel has.
func (s *RealState) hold(dst ipvs.Destination) {
	s.Present, s.Forward, s.Weight = true, dst.Forward.Listed(), dst.Weight
	s.Active, s.Inactive, s.Persistent, s.Stats = dst.Active, dst.Inactive, dst.Persistent, dst.Stats
}

// otherState is how it stands with a destination that is no configured real
// server: the fallback, or somebody else's.
func (v *virtual) otherState(dst ipvs.Destination, desired held) RealState {
	s := destinationState(dst)
	if v.isFallback(dst.AddrPort) {
		s.State, s.Fallback, s.Configured = StateFallback, true, v.fallback.Weight
		s.Wanted = desired.slots[dst.AddrPort].Weight
	}
	if h, ok := v.hand[dst.AddrPort]; ok {
		s.Difference = v.difference(dst.AddrPort, h, desired)
	}
	return s
}

// foreignState is how it stands with a virtual service that is not ours.
func foreignState(e ipvs.Entry) VirtualState {
	name := strings.Join(strings.Fields(e.Service.Key.Listed()), " ")
	s := VirtualState{
		ID: name, Name: name, Listed: e.Service.Listed(), Kernel: e.Service.Key.Listed(),
		Foreign: true, Present: true, Stats: e.Stats, Reals: make([]RealState, 0, len(e.Destinations)),
	}
	for _, dst := range e.Destinations {
		s.Reals = append(s.Reals, destinationState(dst))
	}
	return s
}
