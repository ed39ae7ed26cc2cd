package daemon

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/beside"
	"github.com/ldirectord/ldirectord/internal/keepalived"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// keepBeside is the keeper of what the kernel has of IPVS beside table. A dry run
// remembers nothing.
func (p *process) keepBeside(table ipvs.Table) *beside.Keeper {
	o := beside.Options{Kernel: besideOf(table), Other: otherSync, Log: p.Log.Printf, DryRun: p.DryRun}
	if !p.DryRun {
		file := state.Canonical(p.Path)
		ours, err := p.memory().RecallSync(file)
		if err != nil {
			p.Log.Printf("Which sync daemons an earlier daemon has started is not known, those that run stay: %v", err)
		}
		o.Ours = ours
		o.Remember = func(list []ipvs.SyncDaemon) error { return p.memory().RememberSync(file, list) }
	}
	return beside.New(o)
}

// otherSync is what steers the sync daemon besides us, "" is nothing.
func otherSync() string { return beside.Keepalived(keepalived.File) }

// besideOf is the state beside a table. A table of a test may have none.
func besideOf(table ipvs.Table) ipvs.Beside {
	if b, ok := table.(ipvs.Beside); ok {
		return b
	}
	return ipvs.NewMemory()
}

// leaveBeside ends the sync daemons that this program has started, unless a virtual service
// stays in the table: its connections are carried on.
func (d *daemon) leaveBeside(leaves bool) {
	stay := slices.ContainsFunc(d.cfg.Virtuals, func(v *conf.VirtualService) bool { return !v.CleanStop })
	d.kept.beside.Leave(leaves || stay)
}

// planBeside are the commands of a start or reload with cfg for the state beside table.
func (i *Instance) planBeside(table ipvs.Table, cfg *conf.Config) ([]string, error) {
	ours, err := i.memory().RecallSync(state.Canonical(i.Path))
	if err != nil {
		return nil, err
	}
	return beside.Plan(besideOf(table), cfg, ours, otherSync())
}

// stopSync ends the sync daemons that a killed daemon has started, unless a virtual service
// stays in the table.
func (p *process) stopSync(d state.Daemon, table ipvs.Table, services []state.Service) error {
	ours, err := p.memory().RecallSync(d.File)
	stay := slices.ContainsFunc(services, func(s state.Service) bool { return !s.CleanStop })
	if err != nil || len(ours) == 0 || stay {
		return err
	}
	left, err := beside.Stop(besideOf(table), ours, p.Log.Printf)
	if unsaved := p.memory().RememberSync(d.File, left); unsaved != nil {
		err = errors.Join(err, fmt.Errorf("keeping which sync daemons are ours: %w", unsaved))
	}
	return err
}
