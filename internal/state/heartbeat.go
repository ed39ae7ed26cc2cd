package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// BeatInterval is the time between two heartbeats.
const BeatInterval = time.Second

const (
	// silence is the age of the last heartbeat from which a daemon may hang.
	silence = 10 * time.Second
	// lateBeat is the age up to which a heartbeat needs no second look.
	lateBeat = 3 * BeatInterval
	// leastWatch is the time for which a daemon is watched before it counts as
	// hung: this machine may just have continued after a pause.
	leastWatch = 2 * BeatInterval
	// ownCPU is the processor time in which a working daemon would have written a
	// heartbeat.
	ownCPU = time.Second
	// look is the pause between two looks at a late heartbeat.
	look = 100 * time.Millisecond
)

// A heartbeat is the time of a daemon's last proof of work, by the machine's
// monotonic clock, and the processor time it had used by then.
type heartbeat struct{ at, cpu time.Duration }

const beatFormat = "%020d %020d\n"

// beat writes a heartbeat. c.mu is held, or c not yet shared.
func (c *Claim) beat() {
	p, _ := readProcess(os.Getpid())
	_, _ = c.file.WriteAt(fmt.Appendf(nil, beatFormat, monotonic(), p.cpu), 0) // readers see a missing beat by its age
}

// monotonic is the time since the machine was booted, the same for all processes.
func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail
	return time.Duration(now.Nano())
}

func readBeat(path string) (h heartbeat, err error) {
	file, err := os.Open(path)
	if err != nil {
		return h, err
	}
	defer file.Close()
	text := make([]byte, len(fmt.Sprintf(beatFormat, 0, 0)))
	if _, err := io.ReadFull(file, text); err != nil {
		return h, err
	}
	_, err = fmt.Sscanf(string(text), beatFormat, &h.at, &h.cpu)
	return h, err
}

// A HungError means that a daemon lives and does not work.
type HungError struct {
	PID   int
	Since time.Duration // age of its last heartbeat
	Why   string
}

func (e *HungError) Error() string {
	return fmt.Sprintf("process %d does not respond: no heartbeat for %s, it %s", e.PID, e.Since.Round(time.Second), e.Why)
}

// Working waits, if the last heartbeat is late, for the next one. It returns a
// *HungError if none comes until the last is ten seconds old and the process is
// stopped or had enough processor time. A daemon that only gets too little
// processor time works. A daemon without a lock has no heartbeat and counts as
// working unless it is stopped.
func (d Daemon) Working() error {
	begin := d.glance()
	for {
		now := d.glance()
		works, err := judge(begin, now)
		if works || err != nil {
			return err
		}
		time.Sleep(look)
	}
}

// Beats reports whether the daemon's last heartbeat is in time.
func (d Daemon) Beats() bool {
	g := d.glance()
	return g.beats && g.now-g.beat.at < lateBeat
}

// A glance is the state of a daemon at one moment.
type glance struct {
	pid     int
	now     time.Duration // see monotonic
	beat    heartbeat
	beats   bool // there are heartbeats
	ended   bool
	stopped bool
	cpu     time.Duration
	waits   bool // for the processor or a disk
}

func (d Daemon) glance() glance {
	g := glance{pid: d.PID, now: monotonic()}
	if d.lock != "" {
		var err error
		g.beat, err = readBeat(d.lock)
		g.beats = err == nil
		g.ended = errors.Is(err, os.ErrNotExist)
	}
	p, ok := readProcess(d.PID)
	g.ended = g.ended || ok && p.state == 'Z'
	g.stopped = ok && (p.state == 'T' || p.state == 't')
	g.cpu = p.cpu
	g.waits = waitsForMachine(d.PID)
	return g
}

// judge reports whether a daemon works, or why not. With neither the caller takes
// another glance.
func judge(begin, now glance) (works bool, err error) {
	age := now.now - now.beat.at
	watched := now.now - begin.now
	switch {
	case now.ended:
		return true, nil // it has just ended: not hung
	case !now.beats && now.stopped:
		return false, &HungError{PID: now.pid, Why: "is stopped"}
	case !now.beats, age < lateBeat && !now.stopped, now.beat != begin.beat && !now.stopped:
		return true, nil
	case age < silence:
		return false, nil
	case now.stopped:
		return false, &HungError{PID: now.pid, Since: age, Why: "is stopped"}
	case watched < leastWatch:
		return false, nil
	case now.cpu-now.beat.cpu >= ownCPU:
		return false, &HungError{PID: now.pid, Since: age, Why: "used the processor without getting further"}
	case !now.waits && !begin.waits:
		return false, &HungError{PID: now.pid, Since: age, Why: "waits for something that does not come"}
	case watched < silence-time.Second:
		return false, nil
	}
	return true, nil // starved, not hung
}
