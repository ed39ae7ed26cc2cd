package beside

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Options are what a Keeper works with. Kernel and Log are needed.
type Options struct {
	Kernel ipvs.Beside
	// Ours are the sync daemons that earlier daemons have started, and Remember (nil: not)
	// keeps those that are ours now for the next one.
	Ours     []ipvs.SyncDaemon
	Remember func([]ipvs.SyncDaemon) error
	// Other returns what else steers the sync daemon of this host, "" is nothing; nil is too.
	Other  func() string
	DryRun bool // Kernel is not the kernel's
	// Log gets a line for each thing done, and each fault once.
	Log func(format string, args ...any)
}

// retryInterval is the time between two looks without driftcheck, while something is not
// as wanted.
const retryInterval = 5 * time.Second

// A Keeper keeps the kernel's state beside the table. Its methods may be called from any
// goroutine; none but Run, Leave and Plan waits for the kernel. A nil one keeps nothing.
type Keeper struct {
	o    Options
	next atomic.Pointer[conf.Config]
	news chan struct{} // next is a new configuration
	done chan struct{} // Run has returned
	seen atomic.Pointer[sight]

	// Owned by the goroutine of Run, and then by Leave.
	cfg     *conf.Config
	ours    []ipvs.SyncDaemon
	state   report.Beside
	faults  []report.Fault
	ran     bool // the sync daemons were as wanted at the last look
	set     bool // the timeouts were as wanted at the last look
	unsaved bool // which are ours could not be kept
}

// A sight is what the last look has found.
type sight struct {
	state  report.Beside
	faults []report.Fault
	ours   []ipvs.SyncDaemon
}

// New is a Keeper that does nothing before Run.
func New(o Options) *Keeper {
	k := &Keeper{o: o, ours: o.Ours, news: make(chan struct{}, 1), done: make(chan struct{})}
	k.seen.Store(&sight{ours: o.Ours})
	return k
}

// Use puts a configuration in force, and has Run look at the kernel.
func (k *Keeper) Use(cfg *conf.Config) {
	if k == nil {
		return
	}
	k.next.Store(cfg)
	select {
	case k.news <- struct{}{}:
	default:
	}
}

// Run looks at the kernel after each Use and every driftcheck, until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	if k == nil {
		return
	}
	defer close(k.done)
	for {
		var later <-chan time.Time
		if pause := k.pause(); pause > 0 {
			later = time.After(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.news:
		case <-later:
		}
		k.look()
	}
}

// pause is the time to the next look, 0 is for ever.
func (k *Keeper) pause() time.Duration {
	switch {
	case k.cfg == nil || !k.busy():
		return 0
	case k.cfg.DriftCheck > 0:
		return k.cfg.DriftCheck
	case len(k.faults) > 0 || k.unsaved:
		return retryInterval
	}
	return 0
}

// busy reports whether there is anything to keep.
func (k *Keeper) busy() bool {
	return k.cfg.SyncDaemon.On() || k.cfg.IPVSTimeouts != (conf.IPVSTimeouts{}) || len(k.ours) > 0
}

// look compares the kernel with the configuration, and makes it so. A failed read changes
// nothing.
func (k *Keeper) look() {
	next := k.next.Load()
	if k.cfg == nil || k.cfg.IPVSTimeouts != next.IPVSTimeouts {
		k.set = false
	}
	if k.cfg == nil || k.cfg.SyncDaemon != next.SyncDaemon {
		k.ran = false
	}
	k.cfg = next
	defer func() { k.seen.Store(&sight{k.state, k.faults, slices.Clone(k.ours)}) }()
	if !k.busy() {
		k.state, k.faults = report.Beside{}, nil
		return
	}
	var faults []report.Fault
	faults = append(faults, k.lookSync()...)
	faults = append(faults, k.lookTimeouts()...)
	for _, f := range faults {
		if !slices.ContainsFunc(k.faults, func(o report.Fault) bool { return o.What == f.What && o.Error == f.Error }) {
			k.o.Log("Warning: %s: %s", f.What, f.Error)
		}
	}
	k.faults = faults
}

// lookSync does what look does for the sync daemons.
func (k *Keeper) lookSync() (faults []report.Fault) {
	wanted := Wanted(k.cfg.SyncDaemon)
	if len(wanted)+len(k.ours) == 0 {
		k.state.SyncDaemons, k.state.Other = nil, ""
		return nil
	}
	running, err := k.o.Kernel.SyncDaemons()
	if err != nil {
		return []report.Fault{fault("the sync daemons are not known, nothing is changed", err.Error())}
	}
	k.ours = stillOurs(k.ours, running)
	k.state.Other = k.other()
	var foreign []ipvs.SyncDaemon
	if k.state.Other == "" {
		var steps []step
		steps, foreign = plan(wanted, running, k.ours)
		faults = append(faults, k.do(steps)...)
		if len(steps) > 0 {
			if again, err := k.o.Kernel.SyncDaemons(); err == nil {
				running = again
			}
		}
	} else if len(wanted) > 0 {
		faults = append(faults, fault("syncdaemon is left to "+k.state.Other, "only one program may steer it: remove it there, or syncdaemon here"))
	}
	for _, d := range foreign {
		faults = append(faults, fault("the "+d.Role.String()+" sync daemon is not ours and is left as it is",
			"it was started by another program ("+d.String()+"), and syncdaemon differs: ipvsadm "+ipvs.StopSyncWords(d.Role)))
	}
	k.ran = len(faults) == 0
	k.remember(k.ours)
	k.state.SyncDaemons = states(wanted, running, k.ours)
	return faults
}

// do carries out steps. A daemon is remembered as ours before it is started.
func (k *Keeper) do(steps []step) (faults []report.Fault) {
	for _, s := range steps {
		again := ""
		if !s.stop && k.ran {
			again = ", which has ended or was stopped by another program"
		}
		var err error
		if s.stop {
			err = k.o.Kernel.StopSync(s.daemon.Role)
		} else {
			k.remember(append(slices.Clone(k.ours), s.daemon))
			err = k.o.Kernel.StartSync(s.daemon)
		}
		switch {
		case s.stop && (err == nil || errors.Is(err, fs.ErrNotExist)):
			k.ours = slices.DeleteFunc(k.ours, func(o ipvs.SyncDaemon) bool { return o.Role == s.daemon.Role })
		case err == nil:
			k.ours = append(k.ours, s.daemon)
		default:
			faults = append(faults, fault("the "+s.daemon.Role.String()+" sync daemon is not as wanted", err.Error()))
			continue
		}
		k.log("%s the %s sync daemon%s: ", s, map[bool]string{true: "Stopped", false: "Started"}[s.stop], s.daemon.Role, again)
	}
	return faults
}

// log logs a change with its command. A dry run has the command alone.
func (k *Keeper) log(what string, command fmt.Stringer, about ...any) {
	if k.o.DryRun {
		what, about = "", nil
	}
	k.o.Log(what+"ipvsadm %s", append(about, command)...)
}

// remember keeps which daemons are ours for the next daemon of the configuration.
func (k *Keeper) remember(ours []ipvs.SyncDaemon) {
	if k.o.Remember == nil || !k.unsaved && slices.Equal(ours, k.o.Ours) {
		return
	}
	err := k.o.Remember(ours)
	if err != nil && !k.unsaved {
		k.o.Log("Warning: which sync daemons are ours cannot be kept for the next start: %v", err)
	}
	if k.unsaved = err != nil; !k.unsaved {
		k.o.Ours = slices.Clone(ours)
	}
}

// lookTimeouts does what look does for the timeouts.
func (k *Keeper) lookTimeouts() []report.Fault {
	want := timeouts(k.cfg.IPVSTimeouts)
	if want == (ipvs.Timeouts{}) {
		k.state.Timeouts = nil
		return nil
	}
	are, err := k.o.Kernel.Timeouts()
	if err != nil {
		return []report.Fault{fault("the timeouts of connections are not known, nothing is changed", err.Error())}
	}
	if want.Or(are) != are {
		if err := k.o.Kernel.SetTimeouts(want); err != nil {
			k.set = false
			return []report.Fault{fault("the timeouts of connections are not as wanted", err.Error())}
		}
		again := ""
		if k.set {
			again = ", which were changed by another program (" + are.String() + ")"
		}
		k.log("Set the timeouts of connections%s: ", want, again)
		are = want.Or(are)
	}
	k.set = true
	k.state.Timeouts = &report.Timeouts{TCP: report.InSeconds(are.TCP), TCPFin: report.InSeconds(are.TCPFin), UDP: report.InSeconds(are.UDP)}
	return nil
}

func fault(what, why string) report.Fault {
	return report.Fault{What: what, Error: why, Since: time.Now(), Logged: true}
}

// Leave waits for Run, whose context is done, and ends the sync daemons that are ours,
// unless they stay. Timeouts stay.
func (k *Keeper) Leave(stay bool) {
	<-k.done
	if stay || len(k.ours) == 0 {
		return
	}
	running, err := k.o.Kernel.SyncDaemons()
	if err != nil {
		k.o.Log("Warning: the sync daemon is left as it is: %v", err)
		return
	}
	k.ours = stillOurs(k.ours, running)
	steps, _ := plan(nil, running, k.ours)
	for _, f := range k.do(steps) {
		k.o.Log("Warning: %s: %s", f.What, f.Error)
	}
	k.remember(k.ours)
}

// Stop ends those sync daemons of a daemon that was killed that still run as it started
// them, and returns the ones that could not be ended.
func Stop(kernel ipvs.Beside, ours []ipvs.SyncDaemon, log func(format string, args ...any)) (left []ipvs.SyncDaemon, err error) {
	running, err := kernel.SyncDaemons()
	if err != nil {
		return ours, err
	}
	ours = stillOurs(ours, running)
	steps, _ := plan(nil, running, ours)
	k := New(Options{Kernel: kernel, Ours: ours, Log: log})
	for _, f := range k.do(steps) {
		err = errors.Join(err, errors.New(f.Error))
	}
	return k.ours, err
}

// Plan is what a reload with cfg would do, as the function of this name says it.
func (k *Keeper) Plan(cfg *conf.Config) ([]string, error) {
	return Plan(k.o.Kernel, cfg, k.seen.Load().ours, k.other())
}

// other is what else steers the sync daemon.
func (k *Keeper) other() string {
	if k.o.Other == nil {
		return ""
	}
	return k.o.Other()
}

// Faults are what is not as wanted at present.
func (k *Keeper) Faults() []report.Fault {
	if k == nil {
		return nil
	}
	return slices.Clone(k.seen.Load().faults)
}

// Report is the state at the last look, nil if there is nothing to keep.
func (k *Keeper) Report() *report.Beside {
	s := k.seen.Load().state
	if len(s.SyncDaemons) == 0 && s.Timeouts == nil {
		return nil
	}
	return &s
}

// states are the daemons of both roles that are wanted or run.
func states(wanted, running, ours []ipvs.SyncDaemon) []report.SyncDaemon {
	var list []report.SyncDaemon
	for _, role := range ipvs.SyncRoles {
		want, wants := ofRole(wanted, role)
		runs, isThere := ofRole(running, role)
		if !wants && !isThere {
			continue
		}
		shown := runs
		if !isThere {
			shown = want
		}
		shown = shown.Effective()
		list = append(list, report.SyncDaemon{
			Role: role.String(), Device: shown.Device, ID: int(shown.ID), Group: shown.Group.String(), Port: int(shown.Port),
			Running: isThere, Wanted: wants, AsWanted: wants && isThere && want.Fits(runs), Ours: isThere && isOurs(ours, runs),
		})
	}
	return list
}
