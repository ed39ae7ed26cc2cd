package director

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/schedule"
)

const (
	// standstill is how long the schedule or the director may be silent before
	// they count as stuck. Each comes round at least once a second.
	standstill = 10 * time.Second
	// lateStart is the delay of a check from which the log gets a line.
	lateStart = time.Second
	// lagPause is the time between two lines about late checks.
	lagPause = time.Minute
)

// A heartbeat proves that the loop of Run goes on.
type heartbeat struct {
	started time.Time    // of the director
	last    atomic.Int64 // the last turn of the loop by itself, since started; 0 is none yet

	// Owned by the goroutine of Run.
	longest   schedule.Worst // turn of the loop
	lagLogged time.Time      // when late checks were last logged
}

// Alive returns the stalled part as an error, nil if there is none. It never blocks
// and may be called from any goroutine; on an error, or without an answer, a watchdog
// should restart the daemon.
func (d *Director) Alive() error {
	// Only differences of the monotonic clock count: the other one may be set.
	if beat := time.Duration(d.heartbeat.last.Load()); beat != 0 && time.Since(d.heartbeat.started)-beat > standstill {
		return fmt.Errorf("the director has stood still for %s", (time.Since(d.heartbeat.started) - beat).Round(time.Second))
	}
	s := d.checks.Running.Load()
	if s == nil {
		return nil // Run has not begun
	}
	if still := time.Since(s.LastTick()); still > standstill {
		return fmt.Errorf("no check has been started for %s: the schedule stands still", still.Round(time.Second))
	}
	return nil
}

// comeRound beats the heart of the loop, and logs when the
// checks are late, which is a matter of this machine.
func (d *Director) comeRound(now time.Time) {
	d.heartbeat.last.Store(int64(max(1, now.Sub(d.heartbeat.started))))
	lag := d.checks.Sched.Lag()
	if lag.Worst < lateStart || now.Before(d.heartbeat.lagLogged.Add(lagPause)) {
		return
	}
	d.heartbeat.lagLogged = now
	d.o.Log("Checks are late: one began %s after its time, %d are overdue", lag.Worst.Round(time.Millisecond), lag.Overdue)
}
