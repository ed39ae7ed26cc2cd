// Package schedule decides when each check runs. It does not know checks: a Job is
// a func and an interval.
//
// All jobs that are due by the same tick start together, because waking up costs
// more than starting: with a timer for each job a connect check needs twice the
// CPU. For the same reason few jobs share few ticks, and many are spread evenly
// over all. A waiting job is a small struct in a timing wheel; it has no goroutine
// and no timer.
package schedule

import (
	"cmp"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A Job is a func that a Schedule runs repeatedly. It belongs to at most one
// Schedule and must not be copied after Add.
type Job struct {
	// Interval is the time from one start to the next. It is fixed once the job
	// is added; SetInterval changes it.
	Interval time.Duration
	// Start begins a run, beside those of other jobs. It must not wait: the run
	// ends with the call of Done for the job, from any goroutine, also from within
	// Start. The next run begins after that.
	Start func()

	// The following fields belong to the Schedule and are guarded by its mutex.
	next, prev *Job          // neighbours in a slot of the wheel
	tick       int64         // its slot: when it starts next
	due        time.Duration // the next regular start, exactly; gives the job its phase
	added      bool
	first      bool // was not started yet
	running    bool // from when it was taken to be started to its end
	again      bool // became due while it ran
}

// Options are the choices of a Schedule.
type Options struct {
	// Tick is how finely starts are timed, 0 is 50 ms. A coarse tick costs less
	// CPU, a fine one starts a job closer to its time.
	Tick time.Duration
	// Rate is how many jobs a second get their first start; 0 starts few at once
	// and spreads many over their interval.
	Rate float64
	// Pause is called after the due jobs have been started; nil is none.
	Pause func()
}

const (
	defaultTick = 50 * time.Millisecond
	// heartbeat is how long the loop sleeps at most, so that a watchdog can
	// distinguish a schedule without work from a stalled one.
	heartbeat = time.Second
	// unrest is the shortest delay of the loop that counts as a stall: shorter ones
	// are frequent on a busy machine.
	unrest = 100 * time.Millisecond
)

// A Schedule starts jobs at their times. Its methods may be called from any
// goroutine, also from inside a Job's Start.
type Schedule struct {
	tick  time.Duration
	pause func()
	epoch time.Time     // all times are counted from here, on the monotonic clock
	wake  chan struct{} // some job is due before the loop's sleep ends

	mu       sync.Mutex
	wheel    wheel         // all added jobs, also while they run
	spread   spread        // their phases
	batch    []*Job        // taken from the wheel, kept for reuse
	done     int64         // the last tick whose jobs were taken
	sleeping int64         // the tick until which the loop sleeps
	runs     int           // under way, or about to start
	starting int           // of them the ones about to start
	idle     chan struct{} // Run waits for the last run to end, nil while it does not

	oldest time.Duration // the due time of the first job in the last batch
	worst  Worst
	stalls stalls

	beat atomic.Int64 // time of the loop's last iteration, since epoch
}

// New returns a Schedule without jobs. It starts nothing before Run.
func New(o Options) *Schedule {
	if o.Pause == nil {
		o.Pause = func() {}
	}
	tick := cmp.Or(max(o.Tick, 0), defaultTick)
	return &Schedule{
		tick:     tick,
		spread:   spread{tick: tick, rate: max(o.Rate, 0)},
		pause:    o.Pause,
		epoch:    time.Now(),
		wake:     make(chan struct{}, 1),
		done:     -1,
		sleeping: math.MaxInt64,
		stalls:   stalls{promised: math.MaxInt64},
	}
}

// Add puts jobs into the schedule; a job in it already is left alone.
// The first start is at once while few jobs await theirs; when many do, the first
// starts are spread over a little less than the interval, or follow one
// another at Options.Rate. The regular starts are spread over the interval in any
// case, so that the second start comes early: a little, or up to an interval if
// the first one was at once. From then on its phase stays the same.
func (s *Schedule) Add(jobs ...*Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, hourly := s.now().Truncate(s.tick), s.spread.hourly
	for _, j := range jobs {
		j.Interval = max(j.Interval, s.tick)
		if !j.added {
			hourly += j.hourly()
		}
	}
	for _, j := range jobs {
		if !j.added {
			j.added, j.first = true, true
			s.put(j, s.spread.place(j, now, hourly, len(jobs)))
		}
	}
}

// Remove takes jobs out of the schedule. A current run, or a start at
// this moment, goes on to its end. A job may be added again at any
// time.
func (s *Schedule) Remove(jobs ...*Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range jobs {
		if !j.added {
			continue
		}
		s.wheel.remove(j)
		s.spread.remove(j)
		j.added, j.first, j.again = false, false, false
	}
}

// Done ends a job's run.
func (s *Schedule) Done(j *Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.running = false
	s.runs--
	if j.again {
		j.again = false
		s.wheel.remove(j)
		s.put(j, s.now())
	}
	if s.runs == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// Soon has jobs start at the next tick, or right after their current
// run, once and beside their regular starts.
func (s *Schedule) Soon(jobs ...*Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, j := range jobs {
		switch {
		case !j.added:
		case j.running:
			j.again = true
		default:
			s.wheel.remove(j)
			s.put(j, now)
		}
	}
}

// Running reports whether a job runs: Soon has it start again after that.
func (s *Schedule) Running(j *Job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.running
}

// SetInterval changes a job's interval. The next start is no further away than
// the new interval; within that the job keeps its phase.
func (s *Schedule) SetInterval(j *Job, interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	interval = max(interval, s.tick)
	if !j.added {
		j.Interval = interval
		return
	}
	s.spread.setInterval(j, interval)
	now := s.now()
	if wait := j.due - now; wait > j.Interval {
		j.due -= (wait - 1) / j.Interval * j.Interval
	}
	if j.tick > s.tickAt(j.due) {
		s.wheel.remove(j)
		s.put(j, j.due)
	}
}

// put queues a job for the first tick to come at or after the given
// time, and wakes the loop if it would sleep too long.
func (s *Schedule) put(j *Job, at time.Duration) {
	j.tick = max(s.tickAt(at), s.done+1)
	s.wheel.put(j)
	if j.tick < s.sleeping {
		s.sleeping = j.tick
		select {
		case s.wake <- struct{}{}:
		default: // one wake-up is on its way
		}
	}
}

// now is the time since the epoch.
func (s *Schedule) now() time.Duration { return time.Since(s.epoch) }

// tickAt is the first tick at or after t.
func (s *Schedule) tickAt(t time.Duration) int64 { return int64((t + s.tick - 1) / s.tick) }

// timeOf is the time of a tick.
func (s *Schedule) timeOf(tick int64) time.Duration { return time.Duration(tick) * s.tick }
