// Package daemon is the process of ldirectord: one instance and its files, its start in
// the background, the connection of all parts, signals, reloads, and its end.
package daemon

import (
	"context"
	"os"
	"slices"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/notify"
	"github.com/ldirectord/ldirectord/internal/status"
)

// readyPatience bounds the wait of a start for a complete table. A large one may take
// longer; the daemon is ready once it has read the kernel's table.
const readyPatience = 5 * time.Second

// stopCommandsTime is the time from a stopping signal until the end of all fallback
// commands (stopcommands = yes). The end of the daemon is within stopPatience then, and
// within the 10 s for which its last heartbeat counts.
const stopCommandsTime = 9 * time.Second

// A daemon is a director and the parts around it. One goroutine, that of run, decides;
// slow work runs beside it.
type daemon struct {
	log      *logfile.Log
	file     source
	dryRun   bool
	options  []string // of the commands of siblings
	own      *ownership
	round    stopwatch
	director *director.Director
	vips     vips
	host     *host.Host
	notifier *notify.Notifier
	status   *status.Server
	kept     kept
	siblings *siblings
	watcher  watcher
	patience time.Duration   // readyPatience
	adopted  <-chan struct{} // closed when the table has been read; nil if it was
	commands time.Time       // until which fallback commands may run at the end; zero is as long as mails

	cfg     *conf.Config // in force
	reloads reloads
	outside outside
}

// event is the director's Sink.
func (d *daemon) event(e event.Event) {
	d.log.Event(e)
	d.status.Event(e)
	if !d.dryRun {
		d.notifier.Event(e)
	}
}

// run works until a signal stops it, and returns the name of that signal. It calls ready
// when the daemon runs, once or twice.
func (d *daemon) run(signals <-chan os.Signal, ready func()) (string, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	d.reloads.ends = make(chan reading, 1)
	d.siblings = newSiblings(context.WithoutCancel(ctx), d.options, d.log.Printf)
	d.watcher.interval.Store(int64(d.cfg.CheckInterval))
	ended := make(chan error, 1)
	d.vips.start()
	go func() { ended <- d.director.Run(ctx, d.cfg) }()
	d.status.Use(d.cfg)
	d.kept.beside.Use(d.cfg)
	go d.kept.beside.Run(ctx)
	news := make(chan sight)
	go d.file.names.Run(ctx)
	go d.watcher.run(ctx, d.watcher.checkInterval, news)

	name, err := d.loop(ctx, stop, signals, news, ended, ready)
	d.vips.leave()
	d.kept.close() // before the next daemon can claim the file
	d.status.Close()
	d.notifier.Close(d.commands)
	return name, err
}

// loop handles events until the director has ended.
func (d *daemon) loop(
	ctx context.Context, stop func(), signals <-chan os.Signal, news <-chan sight, ended <-chan error, ready func(),
) (string, error) {
	name := ""
	stands := d.director.Ready()
	adopted, overdue := d.adopted, false
	late := time.After(d.patience)
	var housekeeper housekeeper
	var calm <-chan time.Time // after about one round of checks, and from then on
	watchdog := ticks(watchdogInterval())
	second := time.Tick(time.Second)
	seconds := 0
	for {
		d.round.restart()
		select {
		case <-stands:
			stands = nil
			d.stands()
			ready()
			calm = time.After(d.cfg.CheckInterval + time.Second/2)
		case <-calm:
			calm = time.After(housekeeper.keep(d.cfg))
		case <-late:
			if overdue = true; adopted == nil {
				ready()
			}
		case <-adopted:
			if adopted = nil; overdue {
				ready()
			}
		case sig := <-signals:
			if name == "" && d.obey(ctx, sig) {
				name = signalName(sig)
				d.leave(name, stop)
			}
		case <-second:
			if name == "" && !d.reloads.busy && d.own.free() {
				d.retake(ctx)
			}
			seconds++
			if seconds%OutsideSeconds == 0 {
				d.retry(ctx)
			}
			if seconds%OutsideSeconds == 0 || seconds == 1 { // a fault of the start is said at once
				d.lookOutside(ctx)
			}
		case seen := <-news:
			d.notice(ctx, seen)
		case <-d.file.names.Changes():
			d.readdress(ctx)
		case r := <-d.reloads.ends:
			d.reloaded(ctx, r)
		case <-watchdog:
			d.feedWatchdog()
		case err := <-ended:
			if name != leaveName {
				d.siblings.use(nil)
			}
			d.siblings.wait()
			return name, err
		}
	}
}

// leave begins the daemon's end. After LeaveSignal everything stays in place: the table,
// the setup of the host, the siblings, what is announced. After other signals the addresses are
// withdrawn first; then stop ends the director, which cleans the table.
func (d *daemon) leave(name string, stop func()) {
	notifySystemd(systemd.SdNotifyStopping)
	if name == leaveName {
		d.director.Leave()
		d.vips.leave()
		stop()
		return
	}
	if slices.ContainsFunc(d.cfg.Virtuals, func(v *conf.VirtualService) bool { return v.StopCommands }) {
		d.commands = time.Now().Add(stopCommandsTime)
	}
	d.siblings.use(nil)
	d.vips.withdraw(d.cfg, stop)
}

// feedWatchdog reports to systemd that the daemon works. It reports nothing while the
// director or the checks are stalled: systemd then starts the daemon again.
func (d *daemon) feedWatchdog() {
	if err := d.director.Alive(); err != nil {
		d.log.Printf("Standing still, the watchdog is not fed: %v", err)
		return
	}
	notifySystemd(systemd.SdNotifyWatchdog)
}

// ticks is a channel with a tick every interval, nil for none.
func ticks(interval time.Duration) <-chan time.Time {
	if interval <= 0 {
		return nil
	}
	return time.Tick(interval)
}

// stands is called once, when the table is complete.
func (d *daemon) stands() {
	if !d.dryRun {
		d.siblings.use(d.cfg.Execute)
	}
	notifySystemd(systemd.SdNotifyReady)
}

// obey handles a signal, and reports whether the daemon has to stop.
func (d *daemon) obey(ctx context.Context, sig os.Signal) bool {
	switch orderOf(sig) {
	case reloadOrder:
		d.log.Reopen()
		d.log.Printf(logfile.Reloading)
		d.reload(ctx, nil)
	case reopenOrder:
		d.log.Reopen()
	case stopOrder, leaveOrder:
		return true
	}
	return false
}
