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
	// atOnce is how many jobs may await their first start and still get it
	// without delay: a small configuration is checked at once.
	atOnce = 200
	// heartbeat is how long the schedule sleeps at most, so that a watchdog can
	// tell a schedule without work from one that stands still.
	heartbeat = time.Second
	// headStart is how much earlier than an interval after Add the last of many
	// jobs get their first start. The process takes about as long before Add, so
	// that all have been started an interval after its own start. A fifth of the
	// interval is the most.
	headStart = 200 * time.Millisecond
	// smallCrowd is how many jobs may be started together for the sake of fewer
	// wake-ups, however few there are.
	smallCrowd = 16
	// largeCrowd is how many may be if they have a tenth of a second between them.
	// With a thousand checks a second, half as many wake-ups save a seventh of the
	// CPU.
	largeCrowd = 128
	// unrest is from when on the loop is said to have stood still: less comes of
	// what else a busy machine does, and often.
	unrest = 100 * time.Millisecond
)

// A Schedule starts jobs at their times. Its methods may be called from any
// goroutine, also from inside a Job's Start.
type Schedule struct {
	tick  time.Duration
	rate  float64
	pause func()
	epoch time.Time     // all times are counted from here, on the monotonic clock
	wake  chan struct{} // something is due earlier than the loop sleeps

	mu       sync.Mutex
	wheel    wheel         // all jobs that were added, also while they run
	batch    []*Job        // taken from the wheel, for use again
	done     int64         // the last tick whose jobs were taken
	sleeping int64         // the tick the loop sleeps until
	waiting  int           // jobs that await their first start
	placed   uint64        // jobs ever added; the next one's place in the spread
	hourly   int64         // regular starts in an hour
	reserved time.Duration // until when Rate is used up by first starts
	runs     int           // that are under way, or about to be
	starting int           // of them those that are about to be
	oldest   time.Duration // when the first of the last batch should have been started
	worst    Worst
	promised time.Duration // when the loop is to be heard of at the latest
	stood    time.Duration // by how much it was later, in all
	idle     chan struct{} // Run waits for the last run to end, nil while it does not

	beat atomic.Int64 // when the loop last came round, since epoch
}

// New returns a Schedule without jobs. It starts nothing before Run.
func New(o Options) *Schedule {
	if o.Pause == nil {
		o.Pause = func() {}
	}
	return &Schedule{
		tick:     cmp.Or(max(o.Tick, 0), defaultTick),
		rate:     max(o.Rate, 0),
		pause:    o.Pause,
		epoch:    time.Now(),
		wake:     make(chan struct{}, 1),
		done:     -1,
		promised: math.MaxInt64,
		sleeping: math.MaxInt64,
	}
}

// Add puts jobs into the schedule; one that is in it already is left alone.
// The first start is at once while few jobs await theirs; when many do, the first
// starts are spread over a little less than the interval, or follow one
// another at Options.Rate. The regular starts are spread over the interval in any
// case, so that the second start comes early: a little, or up to an interval if
// the first one was at once. From then on its phase stays the same.
func (s *Schedule) Add(jobs ...*Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, hourly := s.now().Truncate(s.tick), s.hourly
	for _, j := range jobs {
		j.Interval = max(j.Interval, s.tick)
		if !j.added {
			hourly += j.hourly()
		}
	}
	for _, j := range jobs {
		if j.added {
			continue
		}
		j.added, j.first = true, true
		s.waiting++
		s.hourly += j.hourly()
		// The whole call counts: the first of 10,000 jobs is not alone.
		s.place(j, now, s.grid(j.Interval, hourly), max(s.waiting, len(jobs)) <= atOnce)
	}
}

// place gives a new job its phase, a multiple of grid, and its first start.
func (s *Schedule) place(j *Job, now, grid time.Duration, soon bool) {
	// Multiples of the golden ratio spread evenly for any number of jobs, and
	// separate neighbours in the file, which are often on the same server.
	_, part := math.Modf(float64(s.placed) * math.Phi)
	s.placed++
	spread := time.Duration(part * float64(j.Interval))
	phase := spread.Truncate(grid)
	start := now
	switch {
	case s.rate > 0:
		start = max(now, s.reserved)
		s.reserved = start + time.Duration(float64(time.Second)/s.rate)
	case !soon:
		// The second round begins when the first one is over.
		round := j.Interval - min(headStart, j.Interval/5)
		wait := untilPhase(now+round, spread, j.Interval)
		start += time.Duration(float64(wait) * float64(round) / float64(j.Interval))
	}
	j.due = start + untilPhase(start, phase, j.Interval)
	s.put(j, start)
}

// untilPhase is how long it is from t to the first regular start of a job with
// this phase.
func untilPhase(t, phase, interval time.Duration) time.Duration {
	return (interval - (t-phase)%interval) % interval
}

// grid is the time between two of the ticks that regular starts are put on: as
// long as no more than a crowd is started together, but no longer than the loop
// sleeps. The interval and the heartbeat are multiples of it, so that jobs with
// other intervals meet on it. It is zero if there is none such, or if there is a
// crowd for every tick: a small one, or what comes in a tenth of a second up to a
// large one. hourly is how many regular starts there are in an hour.
func (s *Schedule) grid(interval time.Duration, hourly int64) time.Duration {
	each := hourly * int64(heartbeat) / int64(time.Hour) // heartbeat
	crowd := max(smallCrowd, min((each+9)/10, largeCrowd))
	for n := time.Duration(max(1, (each+crowd-1)/crowd)); n < heartbeat/s.tick; n++ {
		if g := heartbeat / n; heartbeat%n == 0 && g%s.tick == 0 && interval%g == 0 {
			return g
		}
	}
	return 0
}

// hourly is how many regular starts j has in an hour.
func (j *Job) hourly() int64 { return int64(time.Hour / j.Interval) }

// Remove takes jobs out of the schedule. A run that is under way, or being
// started at this moment, goes on to its end. A job may be added again at any
// time.
func (s *Schedule) Remove(jobs ...*Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range jobs {
		if !j.added {
			continue
		}
		s.wheel.remove(j)
		if j.first {
			s.waiting--
		}
		s.hourly -= j.hourly()
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

// Soon has jobs start at the next tick, or right after the run that is under
// way, once and beside their regular starts.
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
	s.hourly -= j.hourly()
	j.Interval = interval
	s.hourly += j.hourly()
	now := s.now()
	if wait := j.due - now; wait > j.Interval {
		j.due -= (wait - 1) / j.Interval * j.Interval
	}
	if j.tick > s.tickAt(j.due) {
		s.wheel.remove(j)
		s.put(j, j.due)
	}
}

// put queues a job for the first tick at or after the given time that is still
// to come, and wakes the loop if it would sleep too long.
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

// tickAt is the first tick that is not before t.
func (s *Schedule) tickAt(t time.Duration) int64 { return int64((t + s.tick - 1) / s.tick) }

// timeOf is the time of a tick.
func (s *Schedule) timeOf(tick int64) time.Duration { return time.Duration(tick) * s.tick }
