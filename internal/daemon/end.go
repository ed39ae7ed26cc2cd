package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// How long stop waits for a daemon to end: less for one that has no heartbeat. The
// agents of cluster managers allow 15 s in all, and fence the host afterwards.
const (
	hungPatience = 8 * time.Second
	stopPatience = 11 * time.Second
	killPatience = 2 * time.Second
)

// End ends d for a command, stop, restart or try-restart, and waits for its end. All but
// stop leave the table as it is. After killing a daemon, stop removes what the daemon
// should have removed itself.
func End(o Options, d state.Daemon, command string) error {
	if err := refuseUnit(d.PID, command); err != nil {
		return err
	}
	keep := command != "stop"
	running, err := os.FindProcess(d.PID) // by a descriptor: no later process has its place
	if err != nil {
		return fmt.Errorf("cannot stop process %d: %w", d.PID, err)
	}
	defer running.Release() //nolint:errcheck // nothing is to be done about it
	sig := unix.SIGTERM
	if keep {
		sig = LeaveSignal
		killChildren(d)
	}
	if !d.Lives() {
		return nil
	}
	if err := running.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("cannot stop process %d: %w", d.PID, err)
	}
	_ = running.Signal(unix.SIGCONT) // a stopped process handles the signal then
	if ended(d) {
		return nil
	}
	o.Log.Printf("Process %d has not ended, it is killed", d.PID)
	if err := running.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("cannot kill process %d: %w", d.PID, err)
	}
	for end := time.Now().Add(killPatience); d.Lives(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("process %d has not ended within %v of SIGKILL", d.PID, killPatience)
		}
	}
	if keep {
		return nil
	}
	return (&process{Options: o}).cleanAfter(d)
}

// ended waits until d has ended, and reports false if that takes too long.
func ended(d state.Daemon) bool {
	begin := time.Now()
	for d.Lives() {
		waited := time.Since(begin)
		if waited > stopPatience || waited > hungPatience && !d.Beats() {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// killChildren ends the children of the original (fork = yes), which would go on
// changing the table without it.
func killChildren(d state.Daemon) {
	if d.KeepsLock() {
		return
	}
	for _, pid := range (state.Original{PID: d.PID}).Children() {
		_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
	}
}

// cleanAfter does what a killed daemon did not do: its addresses are withdrawn, its virtual services leave the
// table according to cleanstop, its pid file and the setup of its host are removed.
func (p *process) cleanAfter(d state.Daemon) error {
	cfg := p.Config
	if cfg == nil {
		cfg = &conf.Config{}
	}
	a := p.newAnnouncer()
	a.Use(announcedBy(cfg))
	withdraw(a, cfg, killedPatience, time.Time{})
	host := &daemon{log: p.Log, file: source{path: d.File}, cfg: cfg, host: p.newHost()}
	host.withdrawHost()
	services := d.Services
	if recalled, err := p.memory().Recall(d.File); err == nil && len(recalled) > 0 {
		services = recalled
	}
	left, err := p.purge(d, services)
	if d.KeepsLock() {
		if unsaved := p.memory().Remember(d.File, left); unsaved != nil {
			err = errors.Join(err, fmt.Errorf("keeping the virtual services that are ours: %w", unsaved))
		}
	}
	if d.PIDFile != "" {
		_ = os.Remove(d.PIDFile) // of no use to others any more
	}
	p.Log.Printf(logfile.Terminated, "KILL")
	host.leaveHost()
	return err
}

// purge removes services from the table according to cleanstop, and returns those that
// are left.
func (p *process) purge(d state.Daemon, services []state.Service) (left []state.Service, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), OpenTimeout)
	defer cancel()
	table, err := p.OpenTable(ctx)
	if err != nil {
		return services, err
	}
	defer table.Close()
	if failed := p.stopSync(d, table, services); failed != nil {
		p.Log.Printf("Ending the sync daemons of the killed daemon failed: %v", failed)
	}
	entries, err := table.Read()
	if err != nil {
		return services, err
	}
	there := make(map[ipvs.Key]ipvs.Service, len(entries))
	for _, e := range entries {
		there[e.Service.Key] = e.Service
	}
	for _, service := range services {
		found, ok := there[service.Key]
		if !ok {
			continue
		}
		if !service.CleanStop {
			left = append(left, service)
			continue
		}
		if failed := table.Apply(ipvs.Change{Op: ipvs.DeleteService, Service: found}); failed != nil {
			left, err = append(left, service), errors.Join(err, failed)
			continue
		}
		event := event.Event{Kind: event.VirtualPurged, V: service.Name(), ID: service.ID, Phase: "stop"}
		p.Log.Printf("%s", event)
	}
	return left, err
}
