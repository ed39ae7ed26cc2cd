package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/notify"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// serve is the daemon: it returns when it has been stopped, or why it could not
// start. ready is called, once or twice, when the pid file is written and the
// virtual services stand in the table, or will.
func (s *session) serve(ready func()) error {
	signals, stop := s.Signals()
	defer stop()
	s.logStart()
	if err := s.settleIn(); err != nil {
		return initError(err)
	}
	own, err := s.own()
	if err != nil {
		return initError(err)
	}
	pulse := newPulse(own)
	defer pulse.end()
	defer own.release()
	orders, err := s.overrides()
	if err != nil {
		return initError(err)
	}
	table, err := s.openTable()
	if err != nil {
		return initError(err)
	}
	defer table.Close()

	d := s.newDaemon(table, own, orders)
	d.setUpHost()
	pulse.of(d.works)
	name, err := d.run(signals, ready)
	own.end(d.director.Held())
	if name != leaveName {
		d.leaveHost()
	}
	if err != nil {
		return initError(err)
	}
	s.log.Printf(logfile.Terminated, name)
	if s.inv.debug { // as the original, which logs a good end only then
		s.log.Printf(logfile.Exiting, exitOK, fmt.Sprintf(logfile.Terminated, name))
	}
	return nil
}

// logStart logs the line that a daemon begins with.
func (s *session) logStart() {
	if s.isAttached() || s.inv.dryRun {
		s.log.Printf(logfile.StartedAttached, originalVersion, os.Getpid())
	} else {
		s.log.Printf(logfile.StartedDaemon, originalVersion)
	}
	if s.inv.dryRun {
		s.log.Printf(logfile.DryRun)
	}
}

// isAttached says whether the daemon is one without a pid file: whoever started
// it looks after it.
func (s *session) isAttached() bool { return s.inv.debug || s.cfg.Supervised }

// openTimeout bounds the loading of IPVS into the kernel.
const openTimeout = 10 * time.Second

// openTable opens the kernel's table, or in a dry run one in memory that shows
// its changes.
func (s *session) openTable() (ipvs.Table, error) {
	if !s.inv.dryRun {
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		return s.OpenTable(ctx)
	}
	table := ipvs.NewMemory()
	table.OnChange = func(c ipvs.Change) { s.log.Printf(logfile.DryRunChange, c) }
	return table, nil
}

// newDaemon wires up what works inside the daemon.
func (s *session) newDaemon(table ipvs.Table, own *ownership, orders []report.Override) *daemon {
	options := s.dirs.configOptions()
	if s.inv.dryRun {
		options = harmless(options)
	}
	d := &daemon{
		log:      s.log,
		file:     source{path: s.path, dir: s.startDir, options: options},
		options:  s.dirs.options,
		own:      own,
		cfg:      s.cfg,
		dryRun:   s.inv.dryRun,
		watcher:  watcher{path: s.path},
		host:     s.newHost(),
		patience: readyPatience,
	}
	d.watcher.took(s.sources)
	d.notifier = notify.New(notify.Options{Log: s.log.Printf}, s.cfg)
	o := director.Options{Table: table, Sink: d.event, Checked: s.log.Checked, Log: s.log.Printf, Overrides: orders, Maintenance: s.maintenance(), Ours: own.recall(s.cfg), DryRun: s.inv.dryRun}
	if s.inv.debug {
		o.Debug = s.log.Debugf
	}
	adopted := make(chan struct{})
	d.adopted, o.Adopted = adopted, func() { close(adopted) }
	o.OverridesEnded = func() { d.status.KeepOverrides() }
	d.director = director.New(o)
	d.status = s.newStatus(d)
	if len(d.director.Overrides()) < len(orders) {
		d.status.KeepOverrides() // the time of some was over while no daemon ran
	}
	return d
}
