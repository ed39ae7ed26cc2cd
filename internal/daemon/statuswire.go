package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/ipvs"
)

// overrides are the orders that were in force when the daemon ended. If they cannot be
// read, the daemon must not start: without them, a real server could enter service that an
// operator has taken out.
func (p *process) overrides() ([]report.Override, error) {
	if p.DryRun {
		return nil, nil
	}
	path := p.OverridesFile()
	list, bad, err := status.ReadOverrides(path)
	if err != nil {
		return nil, fmt.Errorf("which orders are in force cannot be read, nothing was changed: %w\n"+
			"    to start without orders: rm %s", err, path)
	}
	for _, why := range bad {
		if copied, ok := errors.AsType[*status.CopyError](why); ok {
			p.Log.Printf(logfile.OverridesCopied, copied)
			continue
		}
		p.Log.Printf(logfile.OverrideLost, path, why)
	}
	if len(bad) == 0 {
		return list, nil
	}
	if kept, err := state.KeepAside(path); err != nil {
		p.Log.Printf(logfile.NotKeptAside, path, err)
	} else {
		p.Log.Printf(logfile.KeptAside, path, kept)
	}
	return list, nil
}

// maintenance are the options of watching the maintenance directory, from the state that
// the last process wrote. A dry run writes nothing. Without a maintenance directory an
// unreadable state matters to nothing.
func (p *process) maintenance() maintenance.Options {
	path := p.MaintenanceFile()
	kept, err := state.ReadMaintenance(path)
	if err != nil && p.Config.MaintenanceDir != "" {
		p.Log.Printf(logfile.MaintenanceLost, err)
	}
	o := maintenance.Options{Kept: kept}
	if !p.DryRun {
		o.Keep = func(m state.Maintenance) error { return m.Write(path) }
	}
	return o
}

// newStatus is the server of the status of d. A dry run does not disturb the daemon: it
// has a socket of its own and keeps no orders.
func (p *process) newStatus(d *daemon) *status.Server {
	o := status.Options{Director: d.director, Version: p.Version, Log: d.log.Printf, Plan: d.plan, Queues: d.queues, Outside: d.outside.list, Served: d.vips.addresses.States, Beside: d.kept.beside.Report, Notify: d.vips.present.report, File: state.Canonical(p.Path), Doctor: p.newExaminer().examine}
	if p.DryRun {
		o.Socket, o.DryRun = p.dryRunSockets()[0], true
	} else {
		o.Socket, o.Overrides, o.Connections = p.Socket(), p.OverridesFile(), connections
	}
	return status.New(o)
}

// queues are those of logs and notifications.
func (d *daemon) queues() []status.Queue {
	waiting, dropped := d.log.Load()
	list := []status.Queue{{Name: "log", Waiting: waiting, Dropped: dropped}}
	for _, q := range d.notifier.Queues() {
		list = append(list, status.Queue(q))
	}
	return list
}

// plan reads the configuration as a reload would, and returns the changes that it would
// make.
func (d *daemon) plan(ctx context.Context) (report.Plan, error) {
	cfg, err := conf.Load(d.file.path, d.file.names.Read(true).Into(inDir(Harmless(d.file.options), d.file.dir)))
	if err != nil {
		return report.Plan{}, errors.New(Diagnosis(err))
	}
	if err := canRunAs(cfg, d.dryRun); err != nil {
		return report.Plan{}, err
	}
	part, contests := d.own.part(absoluteNames(cfg, d.file.dir))
	plan, err := d.director.Plan(ctx, part)
	if err != nil {
		return report.Plan{}, err
	}
	plan.LeftOut = append(plan.LeftOut, leftToOthers(contests)...)
	besides, err := d.kept.beside.Plan(cfg)
	return planReport(plan, besides), err
}

// leftToOthers are the virtual services of other daemons, as a plan reports them.
func leftToOthers(contests []state.Contest) (list []report.LeftOut) {
	for _, c := range contests {
		list = append(list, report.LeftOut{
			Change: "virtual service " + event.ShortID(c.Service.ID), Reason: fmt.Sprintf("process %d steers it for %s, until that lets go", c.By.PID, c.By.File),
		})
	}
	return list
}

// planReport is a plan for readers, with the commands for the state beside the table.
func planReport(p director.Plan, besides []string) report.Plan {
	lines := make([]string, 0, len(p.Changes)+len(besides))
	for _, c := range p.Changes {
		lines = append(lines, c.String())
	}
	return report.Plan{Changes: append(lines, besides...), LeftOut: p.LeftOut}
}

// PlanStart returns the changes that a start of the instance would make in the table, as
// ipvsadm's lines.
func PlanStart(ctx context.Context, o Options) (report.Plan, error) {
	table, err := o.OpenTable(ctx)
	if err != nil {
		return report.Plan{}, err
	}
	defer table.Close()
	overrides, _, err := status.ReadOverrides(o.OverridesFile())
	if err != nil {
		return report.Plan{}, err
	}
	file, others := state.Canonical(o.Path), o.others()
	// The Perl program with the same file is what the start would replace.
	others = slices.DeleteFunc(others, func(d state.Daemon) bool { return d.File == file })
	if contests := o.locks().Contested(file, director.Services(o.Config), others); len(contests) > 0 {
		return report.Plan{}, state.ContestError(contests)
	}
	ours, err := o.memory().Recall(file)
	if err != nil {
		return report.Plan{}, err
	}
	ours = notOf(o.locks().Contested(file, ours, others), ours)
	gone, _, _ := state.ReadGone(o.GoneFile()) // as at a start, what cannot be read does not count
	damped, _, _ := state.ReadDamped(o.DampedFile())
	kept, _ := state.ReadMaintenance(o.MaintenanceFile())
	plan, err := director.PlanStart(director.Options{
		Table: table, Overrides: overrides, Ours: ours, Gone: gone, Damped: damped, Maintenance: maintenance.Options{Kept: kept},
	}, o.Config)
	if err != nil {
		return report.Plan{}, err
	}
	besides, err := o.planBeside(table, o.Config)
	return planReport(plan, besides), err
}

// connections are the kernel's, as status shows them.
func connections() iter.Seq2[wire.Connection, error] {
	return func(yield func(wire.Connection, error) bool) {
		for c, err := range ipvs.Connections() {
			if errors.Is(err, fs.ErrNotExist) {
				err = errors.New("the kernel lists no connections: IPVS is not loaded, or the table is in memory")
			}
			shown := wire.Connection{
				Protocol: c.Protocol, Client: c.Client.String(), Virtual: c.Virtual.String(), Real: c.Destination.String(),
				State: c.State, Expires: report.Seconds(c.Expires.Seconds()), Persistence: c.Persistence,
			}
			if !yield(shown, err) {
				return
			}
		}
	}
}
