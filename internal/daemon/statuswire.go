package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/ipvs"
)

// socket is where the daemon of this instance is asked.
func (s *session) socket() string {
	return filepath.Join(s.dirs.run, s.name()+".sock")
}

// overridesFile is where the orders of operators to this instance are kept.
func (s *session) overridesFile() string {
	return filepath.Join(s.dirs.state, s.name()+".overrides.json")
}

// overrides are the orders that were in force when the daemon ended. The error is that
// they are not known: to start without them could put a real server into service that
// an operator has taken out.
func (s *session) overrides() ([]report.Override, error) {
	if s.inv.dryRun {
		return nil, nil
	}
	path := s.overridesFile()
	list, bad, err := status.ReadOverrides(path)
	if err != nil {
		return nil, fmt.Errorf("which orders are in force cannot be read, nothing was changed: %w\n"+
			"    to start without orders: rm %s", err, path)
	}
	for _, why := range bad {
		if copied, ok := errors.AsType[*status.CopyError](why); ok {
			s.log.Printf(logfile.OverridesCopied, copied)
			continue
		}
		s.log.Printf(logfile.OverrideLost, path, why)
	}
	if len(bad) == 0 {
		return list, nil
	}
	if kept, err := state.KeepAside(path); err != nil {
		s.log.Printf(logfile.NotKeptAside, path, err)
	} else {
		s.log.Printf(logfile.KeptAside, path, kept)
	}
	return list, nil
}

// maintenanceFile is where what is known of maintenance is kept.
func (s *session) maintenanceFile() string {
	return filepath.Join(s.dirs.state, s.name()+".maintenance.json")
}

// maintenance is how the director watches the maintenance directory: from what the
// last process knew of it. A dry run keeps nothing.
func (s *session) maintenance() maintenance.Options {
	kept, err := state.ReadMaintenance(s.maintenanceFile())
	if err != nil {
		s.log.Printf(logfile.MaintenanceLost, err)
	}
	o := maintenance.Options{Kept: kept}
	if !s.inv.dryRun {
		o.Keep = func(m state.Maintenance) error { return m.Write(s.maintenanceFile()) }
	}
	return o
}

// newStatus is what answers questions about d. A dry run does not stand in the
// way of the daemon: it has a socket of its own and keeps no orders.
func (s *session) newStatus(d *daemon) *status.Server {
	o := status.Options{Director: d.director, Version: s.Version, Log: d.log.Printf, Plan: d.plan, Queues: d.queues, Outside: d.outside.list}
	if s.inv.dryRun {
		o.Socket, o.DryRun = s.dryRunSockets()[0], true
	} else {
		o.Socket, o.Overrides, o.Connections = s.socket(), s.overridesFile(), connections
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

// plan reads the configuration as a reload would, and says what that would
// change.
func (d *daemon) plan(ctx context.Context) ([]string, error) {
	cfg, err := conf.Load(d.file.path, inDir(harmless(d.file.options), d.file.dir))
	if err != nil {
		return nil, errors.New(diagnosis(err))
	}
	changes, err := d.director.Plan(ctx, absoluteNames(cfg, d.file.dir))
	return changeLines(changes), err
}

// changeLines are changes in ipvsadm's words.
func changeLines(changes []ipvs.Change) []string {
	lines := make([]string, 0, len(changes))
	for _, c := range changes {
		lines = append(lines, c.String())
	}
	return lines
}

// connections are the kernel's, as status shows them.
func connections() iter.Seq2[status.Connection, error] {
	return func(yield func(status.Connection, error) bool) {
		for c, err := range ipvs.Connections() {
			if errors.Is(err, fs.ErrNotExist) {
				err = errors.New("the kernel lists no connections: IPVS is not loaded, or the table is in memory")
			}
			shown := status.Connection{
				Protocol: c.Protocol, Client: c.Client.String(), Virtual: c.Virtual.String(), Real: c.Destination.String(),
				State: c.State, Expires: report.Seconds(c.Expires.Seconds()), Persistence: c.Persistence,
			}
			if !yield(shown, err) {
				return
			}
		}
	}
}
