package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/announce"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/names"
	"github.com/ldirectord/ldirectord/internal/notify"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Options are the arguments of a command that starts or ends a daemon.
type Options struct {
	Instance
	Version string
	Config  *conf.Config  // of the file at Path; nil to end a daemon whose file is broken
	Sources *conf.Sources // from which Config was made
	Log     *logfile.Log
	Debug   bool
	DryRun  bool

	// Signals begins to catch the signals in the list Signals, and stop ends it. It is
	// called once, when a daemon begins to run.
	Signals func() (signals <-chan os.Signal, stop func())
	// ChangeDir changes the working directory of the process, of the daemon and of all
	// its children; nil leaves it.
	ChangeDir func(dir string) error
	// OpenTable opens the table of the kernel.
	OpenTable func(ctx context.Context) (ipvs.Table, error)
}

// A process is a daemon that begins or ends in this process.
type process struct {
	Options
	startDir string // the working directory of the start
}

// Serve is the daemon: it returns when the daemon has been stopped, or why it could not
// start. It calls ready, once or twice, when the pid file is written and the virtual
// services are in the table, or will be.
func Serve(o Options, ready func()) error {
	p := &process{Options: o}
	return p.serve(ready)
}

func (p *process) serve(ready func()) error {
	signals, stop := p.Signals()
	defer stop()
	p.logStart()
	if err := canRunAs(p.Config, p.DryRun); err != nil {
		return initError(err)
	}
	if err := p.settleIn(); err != nil {
		return initError(err)
	}
	own, err := p.own()
	if err != nil {
		return initError(err)
	}
	pulse := newPulse(own)
	defer pulse.end()
	defer own.release()
	if !p.DryRun {
		p.adopt()
	}
	orders, err := p.overrides()
	if err != nil {
		return initError(err)
	}
	table, err := p.openTable()
	if err != nil {
		return initError(err)
	}
	defer table.Close()

	d := p.newDaemon(table, own, orders)
	d.setUpHost()
	pulse.of(d.works)
	name, err := d.run(signals, ready)
	own.end(d.director.Held())
	d.leaveBeside(name == leaveName || err != nil)
	if name != leaveName {
		d.leaveHost()
	}
	if err != nil {
		return initError(err)
	}
	p.Log.Printf(logfile.Terminated, name)
	if p.Debug { // as the original, which logs a good end only then
		p.Log.Printf(logfile.Exiting, ExitOK, fmt.Sprintf(logfile.Terminated, name))
	}
	return nil
}

// logStart logs the first line of a daemon.
func (p *process) logStart() {
	if p.isAttached() || p.DryRun {
		p.Log.Printf(logfile.StartedAttached, logfile.OriginalVersion, os.Getpid())
	} else {
		p.Log.Printf(logfile.StartedDaemon, logfile.OriginalVersion)
	}
	if p.DryRun {
		p.Log.Printf(logfile.DryRun)
	}
}

// isAttached reports whether the daemon has no pid file: its parent supervises it.
func (p *process) isAttached() bool { return p.Debug || p.Config.Supervised }

// OpenTimeout bounds the loading of IPVS into the kernel.
const OpenTimeout = 10 * time.Second

// openTable opens the kernel's table, or for a dry run one in memory that logs its
// changes.
func (p *process) openTable() (ipvs.Table, error) {
	if !p.DryRun {
		ctx, cancel := context.WithTimeout(context.Background(), OpenTimeout)
		defer cancel()
		return p.OpenTable(ctx)
	}
	table := ipvs.NewMemory()
	table.OnChange = func(c ipvs.Change) { p.Log.Printf(logfile.DryRunChange, c) }
	return table, nil
}

// newDaemon connects the parts of the daemon.
func (p *process) newDaemon(table ipvs.Table, own *ownership, orders []report.Override) *daemon {
	options := p.Dirs.ConfigOptions()
	if p.DryRun {
		options = Harmless(options)
	}
	d := &daemon{
		log:      p.Log,
		file:     source{path: p.Path, dir: p.startDir, options: options},
		options:  p.Dirs.options,
		own:      own,
		cfg:      p.Config,
		dryRun:   p.DryRun,
		watcher:  watcher{path: p.Path},
		host:     p.newHost(),
		patience: readyPatience,
		vips:     p.newVIPs(),
	}
	d.watcher.took(p.Sources)
	d.reloads.whole, d.reloads.sources = p.Config, p.Sources
	d.file.names = names.New(machineLookup, p.Log.Printf, p.Config)
	d.notifier = notify.New(notify.Options{Log: p.Log.Printf, Here: d.vips.present.has}, p.Config)
	o := director.Options{
		Table: table, Sink: d.event, Checked: p.Log.Checked, Log: p.Log.Printf,
		Overrides: orders, Maintenance: p.maintenance(), Ours: own.recall(p.Config), DryRun: p.DryRun,
	}
	if p.Debug {
		o.Debug = p.Log.Debugf
	}
	o.History, d.kept.history = p.history()
	o.Damped, o.DampedChanged = p.damped(), func() { d.kept.damped.want() }
	o.Gone, o.GoneChanged = p.gone(), func() { d.kept.gone.want() }
	adopted := make(chan struct{})
	d.adopted, o.Adopted = adopted, func() { close(adopted) }
	o.OverridesEnded = func() { d.status.KeepOverrides() }
	o.Addresses = d.vips.addresses
	d.director = director.New(o)
	d.vips.host = announce.NewHost(d.log.Printf, d.hostSetup(d.cfg), d.heldAddresses())
	d.kept.damped = p.keepDamped(d.director.Damped)
	d.kept.gone = p.keepGone(d.director.Gone)
	d.kept.beside = p.keepBeside(table)
	d.status = p.newStatus(d)
	if len(d.director.Overrides()) < len(orders) {
		d.status.KeepOverrides() // some expired while no daemon ran
	}
	return d
}
