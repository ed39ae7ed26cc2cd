package director

import (
	"context"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
)

// Snapshot takes a snapshot. It fails only with ctx.
func (d *Director) Snapshot(ctx context.Context) (*report.Snapshot, error) {
	return do(ctx, d, d.snapshot)
}

func (d *Director) snapshot() *report.Snapshot {
	now := d.now()
	entries, readable := d.kernel.Show(now)
	if !readable {
		entries = d.believed()
	}
	s := &report.Snapshot{
		Time: now, Config: d.conf.Path, DryRun: d.o.DryRun, State: stateWord(d.status), Started: d.heartbeat.started, Loaded: d.loaded,
		Ready: d.checks.Unfinished == 0, Kernel: d.kernel.Report(), Lag: d.checks.Lag(now),
		Virtuals: make([]report.VirtualState, 0, len(d.virtuals)),
	}
	s.Lag.Turn = report.InSeconds(d.heartbeat.longest.Within(now.Sub(d.heartbeat.started)))
	byKey := table.ByKey(entries)
	for _, v := range d.virtuals {
		e := byKey[v.Service.Key]
		delete(byKey, v.Service.Key)
		state := v.State(e, now)
		state.Served, state.Waits = d.addresses.Serves(v)
		s.Virtuals = append(s.Virtuals, state)
	}
	for i := range entries {
		if e := &entries[i]; byKey[e.Service.Key] == e {
			s.Virtuals = append(s.Virtuals, report.ForeignVirtual(e))
		}
	}
	s.Addresses, _ = d.addresses.States()
	s.Overrides = slices.DeleteFunc(d.overrides.unused(d.virtuals), func(o report.Override) bool { return report.OfAddress(o.Verb) && d.addresses.Has(o.Virtual) })
	if m := d.maintenance; m.Dir != "" {
		s.Maintenance = &m
	}
	return s
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
