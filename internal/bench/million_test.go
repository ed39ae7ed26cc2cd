package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/schedule"
)

// jobsVar is how many jobs TestSpread has; without it those of one large
// director.
const jobsVar = "LDIRECTORD_BENCH_JOBS"

// A spread is how the starts of many jobs are spread over an interval.
type spread struct {
	interval, tick time.Duration
	starts         []atomic.Int64 // by the tick that they were due before, of all intervals
	jobs           []started
}

// A started is one job's starts.
type started struct {
	n    int
	last time.Time
	gap  time.Duration // the longest between two
}

// intervals are looked at: the one in which jobs start for the first time, and
// those after it.
const intervals = 3

// Every job starts once in an interval, the first time a little sooner, no tick
// has many more starts than its share, and none is late, by a clock that stands
// still while there is work. So only the plan is looked at, not the machine.
func TestSpread(t *testing.T) {
	n := 50_000
	if more, err := strconv.Atoi(os.Getenv(jobsVar)); err == nil {
		n = more
	}
	s := &spread{interval: 10 * time.Second, tick: 50 * time.Millisecond, jobs: make([]started, n)}
	s.starts = make([]atomic.Int64, intervals*s.interval/s.tick)
	var lag schedule.Lag
	used := monotonic()
	synctest.Test(t, func(t *testing.T) { lag = s.simulate(t) })
	used = monotonic() - used

	share := float64(n) * float64(s.tick) / float64(s.interval)
	var total int64
	least, most := s.starts[0].Load(), int64(0)
	for i := range s.starts {
		starts := s.starts[i].Load()
		total, least, most = total+starts, min(least, starts), max(most, starts)
	}
	if float64(least) < 0.9*share-1 || float64(most) > 1.1*share+1 {
		t.Errorf("%d to %d starts in a tick, want about %.1f", least, most, share)
	}
	var gap time.Duration
	for i := range s.jobs {
		// The first round is a little shorter, so that the fourth one has begun.
		if n := s.jobs[i].n; n != intervals && n != intervals+1 {
			t.Fatalf("job %d started %d times in %d intervals", i, s.jobs[i].n, intervals)
		}
		gap = max(gap, s.jobs[i].gap)
	}
	if gap > s.interval+s.tick {
		t.Errorf("%v between two starts of a job, want %v", gap, s.interval)
	}
	if lag.Worst > 0 {
		t.Errorf("the schedule is %v late", lag.Worst)
	}
	t.Logf("spread %d %d %.1f %v %v %.3f", least, most, share, gap.Seconds(), lag.Worst.Seconds(), float64(used)/1e3/float64(total))
	for i := range s.starts {
		if os.Getenv(jobsVar) != "" {
			fmt.Printf("tick %d %d\n", i, s.starts[i].Load())
		}
	}
}

// simulate runs the schedule for all intervals.
func (s *spread) simulate(t *testing.T) schedule.Lag {
	t.Helper()
	plan := schedule.New(schedule.Options{Tick: s.tick})
	jobs := make([]*schedule.Job, len(s.jobs))
	began := time.Now()
	for i := range jobs {
		job := &s.jobs[i]
		j := &schedule.Job{Interval: s.interval}
		j.Start = func() {
			now := time.Now()
			s.starts[max(int(now.Sub(began)/s.tick)-1, 0)].Add(1)
			job.start(now)
			plan.Done(j)
		}
		jobs[i] = j
	}
	plan.Add(jobs...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		plan.Run(ctx)
		close(ended)
	}()
	time.Sleep(intervals*s.interval + s.tick/2) // the last tick included
	lag := plan.Lag()
	cancel()
	<-ended
	return lag
}

// start notes a start.
func (j *started) start(now time.Time) {
	if j.n++; j.n > 1 {
		j.gap = max(j.gap, now.Sub(j.last))
	}
	j.last = now
}

// million has TestSpread look at a million jobs.
func (c *comparison) million() {
	c.step("the schedule of 1,000,000 real servers", func(tb testing.TB) {
		out := goTest(tb, []string{jobsVar + "=1000000"}, os.Args[0], "-test.run=^TestSpread$", "-test.v")
		found := numbers(out, `spread (\d+) `)
		rest := numbers(out, `spread \d+ \d+ (\S+) `)
		if len(found) == 0 || len(rest) == 0 {
			tb.Fatalf("it said %q", out)
		}
		ours := c.columns[0]
		share := rest[0]
		add := func(name, pattern string, goal goal) {
			c.add(sectionMillion, name, ours, goal, numbers(out, `spread `+pattern)...)
		}
		c.add(sectionMillion, fmt.Sprintf("starts in a tick, of an even share of %.0f: fewest / most", share), ours, nil,
			found[0], numbers(out, `spread \d+ (\d+) `)[0])
		add("longest time between two starts of the same (s)", `\d+ \d+ \S+ (\S+) `, atMost(10.05))
		add("worst lag (s)", `\d+ \d+ \S+ \S+ (\S+) `, atMost(0.05))
		add("time that a start took the simulation (µs)", `\d+ \d+ \S+ \S+ \S+ (\S+)`, nil)
		c.ticks = slices.Collect(func(yield func(float64) bool) {
			for _, starts := range numbers(out, `(?m)^tick \d+ (\d+)$`) {
				if !yield(starts / share) {
					return
				}
			}
		})
	})
}
