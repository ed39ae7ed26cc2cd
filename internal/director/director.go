// Package director keeps the kernel's table in step with the results of checks: it has
// the real servers checked, decides what the table should hold, makes it so, and reports
// what happened.
//
// One goroutine owns all state; checks and callers send to it.
package director

import (
	"context"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Options are what a Director works with. Table and Sink are needed.
type Options struct {
	Table ipvs.Table // is closed by the caller, after Run has ended

	// Start starts a check, as engine.Engine.Start does. If it is nil, Ask makes
	// it, up to attempts times, each within timeout, in a goroutine of its own.
	// With neither the checks go over the network.
	Start checks.Starter
	Ask   func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int) engine.Result

	// Maintenance is how the directory of maintenancedir is watched.
	Maintenance maintenance.Options

	// Sink gets every event, Checked (nil: none) every result for a virtual
	// service with a monitorfile, Log a line for ldirectord.log besides the
	// events, Debug (nil: none) the sent and received bytes. They are called in
	// order from one goroutine and must not block.
	Sink    func(event.Event)
	Checked func(event.Checked)
	Log     func(format string, args ...any)
	Debug   func(format string, args ...any)

	// DryRun marks snapshots: Table is not the kernel's.
	DryRun bool

	// Overrides are in force from the start. OverridesEnded (nil: none) is called when
	// the time of some is over, and must not block; see Director.Overrides.
	Overrides      []report.Override
	OverridesEnded func()

	// Damped is what the last daemon knew of flapdamping. DampedChanged (nil: none) is called
	// when Director.Damped has changed, and must not block.
	Damped        []state.Damped
	DampedChanged func()

	// Gone is what the last daemon knew of real servers that their checks had taken out of service
	// (quiescenttime, return = byhand). GoneChanged (nil: none) is called when Director.Gone has
	// changed, and must not block.
	Gone        []state.Gone
	GoneChanged func()

	// History gets the events, and may have those of earlier daemons; nil is a new one.
	History *event.History

	// Adopted is called once, when the table has been read and the start cannot fail any
	// more. It must not block. nil is none.
	Adopted func()

	// Addresses gets the virtual addresses and which of them are served; nil is none to be read.
	Addresses *virtual.Addresses

	// Ours are the virtual services that an earlier daemon has left in the table.
	// Those that the configuration does not name are removed when it is in force.
	Ours []state.Service
}

// A Director keeps one kernel table in step with one configuration.
type Director struct {
	o         Options
	checks    *checks.Set
	watcher   *maintenance.Watcher
	overrides *overrides
	heartbeat heartbeat
	own       ownership
	dampings  *dampings
	leavings  *leavings
	calls     chan func()
	ready     chan struct{}

	// Owned by the goroutine of Run.
	reconciler
	trouble     policy.Trouble // of our own
	maintenance maintenance.State
	drift       *time.Ticker
	loaded      time.Time // the configuration
}

// New returns a Director that does nothing until Run.
func New(o Options) *Director {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Addresses == nil {
		o.Addresses = virtual.NewAddresses()
	}
	if o.History == nil {
		o.History = new(event.History)
	}
	d := &Director{
		o:          o,
		heartbeat:  heartbeat{started: time.Now()},
		calls:      make(chan func()),
		ready:      make(chan struct{}),
		overrides:  newOverrides(o.Overrides, time.Now()),
		watcher:    maintenance.New(o.Maintenance),
		checks:     checks.New(checks.Options{Start: o.Start, Ask: o.Ask, Trace: o.Debug != nil}),
		own:        ownership{recalled: o.Ours},
		reconciler: reconciler{kernel: table.Kernel{Table: o.Table, Log: o.Log}, sink: o.Sink, history: o.History, addresses: o.Addresses},
	}
	d.dampings = newDampings(d)
	d.leavings = newLeavings(d)
	d.entered, d.judged = d.raiseAlwaysUp, d.leavings.note
	return d
}

// Ready is closed when the virtual services are in the kernel and the checks
// have begun.
func (d *Director) Ready() <-chan struct{} { return d.ready }

// Run takes over what the kernel holds, keeps it in step with cfg and the
// checks until ctx is done, and then cleans up as cleanstop says. It returns
// within a few seconds of ctx's end, whatever hangs. The error is that the table
// could not be read for table.StartPatience; then nothing was changed.
func (d *Director) Run(ctx context.Context, cfg *conf.Config) error {
	checking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	d.drift = time.NewTicker(time.Hour)
	go d.watcher.Run(checking)
	d.checks.Begin(checking, cfg)
	second := time.NewTicker(time.Second) // begun with the schedule, so that one wake-up does for both
	defer second.Stop()
	defer d.drift.Stop()
	entries, err := d.kernel.Await(ctx)
	if err != nil || ctx.Err() != nil {
		stop()
		d.checks.End()
		return err
	}
	if d.o.Adopted != nil {
		d.o.Adopted()
	}
	d.takeTurn(func() {
		noteStart(d.history, d.now())
		d.load(prepare(cfg, d.watcher.Lookup(cfg), time.Now()), conf.Starting, table.ByKey(entries), true)
	})
	close(d.ready)
	for {
		var turn func()
		select {
		case <-d.checks.Results.Bell:
			turn = d.handleResults
		case call := <-d.calls:
			turn = call
		case <-d.drift.C:
			turn = d.driftCheck
		case news := <-d.watcher.Reports():
			turn = func() { d.maintained(news) }
		case now := <-second.C:
			turn = func() { d.everySecond(now) }
		case <-ctx.Done():
			d.stop()
			d.own.note(d.virtuals, true)
			stop()
			d.checks.End()
			noteEnd(d.history, d.own.leaving.Load())
			return nil
		}
		d.takeTurn(turn)
	}
}

// takeTurn calls turn, brings the kernel into agreement, and records the duration:
// no result was read meanwhile.
func (d *Director) takeTurn(turn func()) {
	d.turn = time.Now()
	turn()
	d.settle()
	ended := time.Now()
	d.heartbeat.longest.Note(ended.Sub(d.heartbeat.started), ended.Sub(d.turn))
	d.turn = time.Time{}
}

func (d *Director) everySecond(now time.Time) {
	d.comeRound(now)
	d.kernel.Forget(now)
	d.climb(now)
	d.endOverrides(now)
	d.dampings.endOver(now)
	d.leavings.every()
	d.retry(now)
	d.retryUnread(now)
	d.endLateFirsts(now)
}

// handleResults takes in all the results there are, so that a rack that dies is one
// change of plan and not a hundred, and in the order of the file, so that the
// log does not depend on which check ended a little sooner.
func (d *Director) handleResults() {
	for res := range d.checks.Results.InOrder() {
		res.At = d.now()
		d.handle(res)
	}
}

// Reload swaps in a configuration. It returns when the kernel agrees with it,
// or ctx is done.
func (d *Director) Reload(ctx context.Context, cfg *conf.Config) error {
	next := prepare(cfg, d.watcher.Lookup(cfg), time.Now())
	_, err := do(ctx, d, func() struct{} {
		entries, readable := d.kernel.Read()
		d.load(next, conf.Reloading, table.ByKey(entries), readable)
		return struct{}{}
	})
	return err
}

// do calls f in the goroutine that owns the state, and returns its value when the
// kernel agrees with the result. f is not called if ctx is done before its turn
// comes. If ctx is done later only the value is lost: what f has done stays.
func do[T any](ctx context.Context, d *Director, f func() T) (T, error) {
	values := make(chan T, 1)
	call := func() {
		if ctx.Err() != nil {
			return
		}
		value := f()
		d.settle()
		values <- value
	}
	var none T
	select {
	case d.calls <- call:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	select {
	case value := <-values:
		return value, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
