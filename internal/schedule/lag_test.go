package schedule

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		jobs := make([]*Job, 5)
		for i := range jobs {
			jobs[i] = &Job{Interval: 2 * time.Minute}
			work(s, jobs[i], func() { time.Sleep(20 * time.Second) })
		}
		s.Add(jobs...)
		check := func(when string, want Lag) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, s.Lag()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("just added", Lag{})
		time.Sleep(300 * ms) // without Run nothing starts
		check("overdue", Lag{Overdue: 5})

		run(t, s)
		check("caught up", Lag{Worst: 300 * ms, Running: 5})
		time.Sleep(25 * time.Second)
		check("all runs over, the delay remembered", Lag{Worst: 300 * ms})
		time.Sleep(36 * time.Second) // some jobs run again, in time
		check("a minute later it is forgotten", Lag{Running: s.Lag().Running})
	})
}

// A job whose own run is too long is not the schedule's lag.
func TestLongRunIsNoLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		j := newStarts(s, time.Second, 10*time.Second)
		s.Add(&j.Job)
		sleep(15 * time.Second)
		if diff := cmp.Diff(Lag{Running: 1}, s.Lag()); diff != "" {
			t.Errorf("lag (-want +got):\n%s", diff)
		}
	})
}

// A Start that waits delays all other jobs, and the delay counts as lag.
func TestStartThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		jobs := newJobs(5, time.Minute)
		for _, j := range jobs {
			j.Start = func() {
				time.Sleep(time.Second)
				s.Done(j)
			}
		}
		s.Add(jobs...)
		sleep(2500 * ms)
		if diff := cmp.Diff(Lag{Overdue: 2, Worst: 2450 * ms, Running: 1}, s.Lag()); diff != "" {
			t.Errorf("lag (-want +got):\n%s", diff)
		}
		if age := time.Since(s.LastTick()); age != 2450*ms {
			t.Errorf("the last tick was %v ago, want 2.45s", age)
		}
	})
}

// A schedule whose loop is held up stalls. One without jobs, or without a call of
// Run, does not.
func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		check := func(when string, want time.Duration) {
			t.Helper()
			if got := s.Stalled(); got != want {
				t.Errorf("%s: stalled for %v, want %v", when, got, want)
			}
		}
		time.Sleep(time.Hour)
		check("before it runs", 0)
		run(t, s)
		j := &Job{Interval: 10 * time.Minute}
		holds := []time.Duration{5 * time.Second, s.tick + unrest - ms, 0, 0, 0, 0, 0}
		j.Start = func() {
			time.Sleep(holds[0])
			holds = holds[1:]
			s.Done(j)
		}
		time.Sleep(time.Minute + 20*ms)
		check("idle", 0)
		s.Add(j)
		time.Sleep(3 * time.Second)
		check("in the middle", 3*time.Second-30*ms-s.tick) // it began with the next tick
		time.Sleep(time.Minute)
		check("after it", 5*time.Second-s.tick)
		time.Sleep(time.Hour)
		check("after the usual unrest and other starts", 5*time.Second-s.tick)
	})
}

func TestLastTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		time.Sleep(time.Hour)
		if age := time.Since(s.LastTick()); age != time.Hour {
			t.Errorf("the last tick of a schedule that does not run was %v ago, want 1h", age)
		}
		run(t, s)
		sleep(time.Hour + 500*ms) // with nothing to do
		if age := time.Since(s.LastTick()); age > time.Second {
			t.Errorf("the last tick of an idle schedule was %v ago, want at most 1s", age)
		}
	})
}

// BenchmarkDue is what the schedule does for one start, with 100,000 jobs.
func BenchmarkDue(b *testing.B) {
	b.ReportAllocs()
	s := New(Options{})
	s.Add(newJobs(100_000, 10*time.Second)...)
	var now time.Duration
	for i := 0; b.Loop(); i-- {
		for ; i <= 0; now += s.tick {
			due := s.due(now)
			for _, j := range due {
				j.running = false
			}
			i = len(due)
		}
	}
}
