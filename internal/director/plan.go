package director

import (
	"context"
	"fmt"
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

// Plan is what a reload with cfg would change in the kernel at once, by what
// the checks have found out so far. Nothing is changed.
func (d *Director) Plan(ctx context.Context, cfg *conf.Config) ([]ipvs.Change, error) {
	type plan struct {
		changes []ipvs.Change
		err     error
	}
	files := d.watcher.Lookup(cfg)
	p, err := do(ctx, d, func() plan {
		entries, ok := d.kernel.Read()
		if !ok {
			return plan{err: fmt.Errorf("no plan: %w", d.kernel.Err())}
		}
		return plan{changes: ahead(cfg, files, table.ByKey(entries), d.virtuals, &ownership{left: d.own.left, recalled: d.own.recalled}, d.overrides)}
	})
	if err != nil {
		return nil, err
	}
	return p.changes, p.err
}

// PlanStart is what a start with cfg would change at once in a table for which
// no director works at present. ours are as in Options.
func PlanStart(kernel ipvs.Table, cfg *conf.Config, orders []report.Override, ours []state.Service) ([]ipvs.Change, error) {
	list, err := kernel.Read()
	if err != nil {
		return nil, err
	}
	files := maintenance.New(maintenance.Options{}).Lookup(cfg)
	return ahead(cfg, files, table.ByKey(list), nil, &ownership{recalled: ours}, newOverrides(orders, time.Now())), nil
}

// ahead does what load does, without a kernel. files are those of the maintenance directory.
func ahead(cfg *conf.Config, files maintenance.Taken, entries map[ipvs.Key]*ipvs.Entry, olds []*virtual.Service, own *ownership, inForce *overrides) []ipvs.Change {
	future := New(Options{Sink: func(event.Event) {}})
	future.overrides = &overrides{byTarget: inForce.byTarget, files: files.Orders}
	f := prepare(cfg, files, future.heartbeat.started)
	gone := append(f.carryOver(olds), own.take(f.virtuals, entries, true)...)
	future.virtuals = f.virtuals
	future.overrule()
	var changes []ipvs.Change
	for _, v := range future.virtuals {
		v.Find(entries[v.Service.Key])
		if v.Hopeless() {
			continue
		}
		v.Foresee(files.Out)
		future.judge(v)
		for _, s := range table.Plan(v.Actual, v.Want(nil)) {
			changes = append(changes, s.Change)
		}
	}
	for _, v := range gone {
		if v.Actual.Present && entries[v.Service.Key] != nil { // not removed by others meanwhile
			changes = append(changes, ipvs.Change{Op: ipvs.DeleteService, Service: v.Service})
		}
	}
	return changes
}
