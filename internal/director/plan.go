package director

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A Plan is the changes of a reload or a start, and those that no kernel takes.
type Plan struct {
	Changes []ipvs.Change
	LeftOut []report.LeftOut
}

// Plan is what a reload with cfg would change in the kernel at once, by what
// the checks have found out so far. Nothing is changed.
func (d *Director) Plan(ctx context.Context, cfg *conf.Config) (Plan, error) {
	var failed error
	files := d.watcher.Lookup(cfg)
	p, err := do(ctx, d, func() Plan {
		entries, ok := d.kernel.Read()
		if !ok {
			failed = fmt.Errorf("no plan: %w", d.kernel.Err())
			return Plan{}
		}
		future := futureOf(d.leavings.known, nil, d.overrides, files)
		return ahead(future, cfg, files, table.ByKey(entries), d.virtuals, &ownership{left: d.own.left, recalled: d.own.recalled})
	})
	if err != nil {
		return Plan{}, err
	}
	return p, failed
}

// PlanStart is what a start with o and cfg would change at once in o.Table, for which no director
// works at present.
func PlanStart(o Options, cfg *conf.Config) (Plan, error) {
	list, err := o.Table.Read()
	if err != nil {
		return Plan{}, err
	}
	files := maintenance.New(o.Maintenance).Lookup(cfg)
	future := futureOf(o.Gone, o.Damped, newOverrides(o.Overrides, time.Now()), files)
	return ahead(future, cfg, files, table.ByKey(list), nil, &ownership{recalled: o.Ours}), nil
}

// futureOf is a director for a plan, which knows what others have found out: the real servers that have
// left by their checks, those that are damped, and the orders. It is not run.
func futureOf(gone []state.Gone, damped []state.Damped, inForce *overrides, files maintenance.Taken) *Director {
	future := New(Options{Sink: func(event.Event) {}, Gone: gone, Damped: damped})
	future.overrides = &overrides{byTarget: maps.Clone(inForce.byTarget), files: files.Orders}
	return future
}

// ahead does what load does, without a kernel. files are those of the maintenance directory.
func ahead(future *Director, cfg *conf.Config, files maintenance.Taken, entries map[ipvs.Key]*ipvs.Entry, olds []*virtual.Service, own *ownership) Plan {
	f := prepare(cfg, files, future.heartbeat.started)
	gone := append(f.carryOver(olds), own.take(f.virtuals, entries, true)...)
	future.virtuals = f.virtuals
	followNames(future, cfg)
	future.overrule()
	for _, v := range future.virtuals {
		v.Find(entries[v.Service.Key], true)
		future.dampings.restore(v)
		v.Foresee(files.Out)
	}
	future.leavings.restore()
	kernel := new(foreseen)
	future.kernel.Table, future.kernel.ReaddQuiescent = kernel, cfg.ReaddQuiescent
	for _, v := range future.virtuals {
		if v.Invalid != nil {
			kernel.leaveOut("virtual service "+v.Name, v.Invalid)
		}
		if v.Hopeless() {
			continue
		}
		virtual.ForeseeReturns(v)
		foresee(&future.reconciler, v)
		if virtual.ForeseeUp(v) { // as entered does it
			foresee(&future.reconciler, v)
		}
	}
	for _, v := range gone {
		if v.Actual.Present && entries[v.Service.Key] != nil { // not removed by others meanwhile
			kernel.plan.Changes = append(kernel.plan.Changes, ipvs.Change{Op: ipvs.DeleteService, Service: v.Service})
		}
	}
	return kernel.plan
}

// foresee changes the table of a plan as sync does, and reports nothing.
func foresee(rc *reconciler, v *virtual.Service) {
	rc.judge(v)
	for r := v.NeedsDamped(); r != nil; r = v.NeedsDamped() {
		virtual.ForeseeUndamped(r)
		rc.judge(v)
	}
	plans := [][]table.Step{rc.planFor(v)}
	rc.kernel.ApplyAll(plans, table.Step.Gives)
	plans[0] = rc.secondHalf(v, plans[0])
	rc.kernel.ApplyAll(plans, table.Step.Takes)
	for _, s := range plans[0] {
		if s.Err == nil {
			v.Record(s, len(v.Reals))
		}
	}
}

// A foreseen table takes all changes but those that no kernel takes.
type foreseen struct{ plan Plan }

// Apply implements ipvs.Table.
func (f *foreseen) Apply(c ipvs.Change) error {
	err := c.Check()
	if err == nil && (c.Op == ipvs.AddService || c.Op == ipvs.EditService) && !ipvs.KnownScheduler(c.Service.Scheduler) {
		err = fmt.Errorf("no scheduler of Linux has the name %s", c.Service.Scheduler)
	}
	if err != nil {
		f.leaveOut(c.String(), err)
		return err
	}
	f.plan.Changes = append(f.plan.Changes, c)
	return nil
}

// leaveOut notes a change that no kernel takes, which may be tried twice.
func (f *foreseen) leaveOut(change string, why error) {
	if l := (report.LeftOut{Change: change, Reason: why.Error()}); !slices.Contains(f.plan.LeftOut, l) {
		f.plan.LeftOut = append(f.plan.LeftOut, l)
	}
}

// Read implements ipvs.Table. A plan does not read it.
func (f *foreseen) Read() ([]ipvs.Entry, error) { return nil, errors.ErrUnsupported }

// Close implements ipvs.Table.
func (f *foreseen) Close() error { return nil }
