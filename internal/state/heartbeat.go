package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// BeatInterval is how often a daemon beats.
const BeatInterval = time.Second

const (
	// silence is how old the last heartbeat of a daemon is that hangs.
	silence = 10 * time.Second
	// lateBeat is the age of a heartbeat that is not worth a second look.
	lateBeat = 3 * BeatInterval
	// leastWatch is how long a daemon is watched before it is said to hang: this
	// machine may just have gone on after a pause.
	leastWatch = 2 * BeatInterval
	// ownCPU is the time at the processor in which a daemon that works would have
	// beaten.
	ownCPU = time.Second
	// look is the pause between two looks at a late heartbeat.
	look = 100 * time.Millisecond
)

// A heartbeat is when a daemon last showed that it works, by the monotonic clock of
// the machine, and the processor time that it had used by then.
type heartbeat struct{ at, cpu time.Duration }

const beatFormat = "%020d %020d\n"

// beat writes the heartbeat of now. c.mu is held, or c not yet shared.
func (c *Claim) beat() {
	p, _ := readProcess(os.Getpid())
	_, _ = c.file.WriteAt(fmt.Appendf(nil, beatFormat, monotonic(), p.cpu), 0) // a late beat is told by its age
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

// A HungError is that a daemon lives and does not work.
type HungError struct {
	PID   int
	Since time.Duration // age of its last heartbeat
	Why   string
}

func (e *HungError) Error() string {
	return fmt.Sprintf("process %d does not respond: no heartbeat for %s, it %s", e.PID, e.Since.Round(time.Second), e.Why)
}

// Working waits, if the last heartbeat is late, for the next one and returns a
// *HungError if there is none until the last is ten seconds old and the process is
// stopped or had its chance. One that only gets too little of the processor works.
// A daemon without a lock has no heartbeat and counts as working unless it is
// stopped.
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

// Beats says whether the daemon's last heartbeat is not late.
func (d Daemon) Beats() bool {
	g := d.glance()
	return g.beats && g.now-g.beat.at < lateBeat
}

// A glance is what is seen of a daemon at one moment.
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

// judge says whether a daemon works, as far as is known now. With neither it is
// looked at again.
func judge(begin, now glance) (works bool, err error) {
	age := now.now - now.beat.at
	watched := now.now - begin.now
	switch {
	case now.ended:
		return true, nil // and ends just now: not hung
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
