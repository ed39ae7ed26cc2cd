package schedule

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

// A starts is a Job that writes down when it was started and takes a while.
type starts struct {
	Job
	times []time.Duration // since the test began
	took  atomic.Int64    // how long each start takes
}

// newStarts makes a Job of s for use within the present synctest bubble.
func newStarts(s *Schedule, interval, took time.Duration) *starts {
	j := new(starts)
	j.took.Store(int64(took))
	j.Interval = interval
	began := time.Now()
	work(s, &j.Job, func() {
		j.times = append(j.times, time.Since(began))
		time.Sleep(time.Duration(j.took.Load()))
	})
	return j
}

// work has j do f in a goroutine of its own.
func work(s *Schedule, j *Job, f func()) {
	j.Start = func() {
		go func() {
			f()
			s.Done(j)
		}()
	}
}

// running runs a Schedule in the present bubble until the test ends. Its tick 0
// is over: jobs added now start at the next.
func running(t *testing.T, o Options) *Schedule {
	t.Helper()
	s := New(o)
	run(t, s)
	synctest.Wait()
	return s
}

// run runs a Schedule until the test ends.
func run(t *testing.T, s *Schedule) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		s.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// sleep lets time pass in the present bubble, until all that happens within it
// has happened.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// regular is the times of n starts: at the first tick, then every interval.
func regular(n int, interval time.Duration) []time.Duration {
	want := []time.Duration{50 * ms}
	for i := 1; i < n; i++ {
		want = append(want, time.Duration(i)*interval)
	}
	return want
}

func TestStarts(t *testing.T) {
	tests := []struct {
		name           string
		tick           time.Duration
		interval, took time.Duration
		until          time.Duration
		want           []time.Duration
	}{
		{"every second", 0, time.Second, 0, 4500 * ms, regular(5, time.Second)},
		{"at once, then each interval", 0, 10 * time.Second, 0, 35 * time.Second, regular(4, 10*time.Second)},
		{"a run within the interval does not move the next", 0, time.Second, 900 * ms, 4500 * ms, regular(5, time.Second)},
		{"a run just as long as the interval does too", 0, time.Second, time.Second, 3500 * ms, []time.Duration{50 * ms, 1050 * ms, 2050 * ms, 3050 * ms}},
		{
			"a longer run is followed at once, and what was missed is not made up for",
			0, time.Second, 2300 * ms, 7 * time.Second,
			[]time.Duration{50 * ms, 2350 * ms, 4650 * ms, 6950 * ms},
		},
		{
			"an interval between ticks is rounded up without creeping",
			50 * ms, 70 * ms, 0, 360 * ms,
			[]time.Duration{50 * ms, 100 * ms, 150 * ms, 250 * ms, 300 * ms, 350 * ms},
		},
		{"longer than the wheel goes round", 0, 200 * time.Second, 0, 500 * time.Second, regular(3, 200*time.Second)},
		{"no interval is one tick", 0, 0, 0, 170 * ms, []time.Duration{50 * ms, 100 * ms, 150 * ms}},
		{"a fine tick", ms, 3 * ms, 0, 10 * ms, []time.Duration{ms, 3 * ms, 6 * ms, 9 * ms}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := running(t, Options{Tick: tt.tick})
				j := newStarts(s, tt.interval, tt.took)
				s.Add(&j.Job)
				sleep(tt.until)
				if diff := cmp.Diff(tt.want, j.times); diff != "" {
					t.Errorf("starts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A job keeps its phase through a time in which its runs are too long.
func TestPhaseSurvivesLongRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		j := newStarts(s, time.Second, 2300*ms)
		s.Add(&j.Job)
		sleep(2400 * ms) // the second run is under way, until 4.65 s
		j.took.Store(0)
		sleep(4 * time.Second)
		want := []time.Duration{50 * ms, 2350 * ms, 4650 * ms, 5000 * ms, 6000 * ms}
		if diff := cmp.Diff(want, j.times); diff != "" {
			t.Errorf("starts (-want +got):\n%s", diff)
		}
	})
}

func TestThousandIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		j := newStarts(s, 730*ms, 300*ms)
		s.Add(&j.Job)
		sleep(1000*730*ms + 49*ms)
		if len(j.times) != 1001 {
			t.Fatalf("%d starts in 1000 intervals, want 1001", len(j.times))
		}
		for i, at := range j.times[1:] {
			if late := at - time.Duration(i+1)*730*ms; late < 0 || late >= 50*ms {
				t.Fatalf("start %d at %v is %v after its time, want less than a tick", i+1, at, late)
			}
		}
	})
}

// Both regular and extra starts must wait for the run under way.
func TestNeverTwiceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		var now, most, runs atomic.Int32
		j := &Job{Interval: 100 * ms}
		work(s, j, func() {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(170 * ms)
			now.Add(-1)
			runs.Add(1)
		})
		s.Add(j)
		for range 100 {
			time.Sleep(33 * ms)
			s.Soon(j)
		}
		s.Remove(j)
		s.Add(j) // while its last run is under way
		time.Sleep(time.Second)
		if most.Load() != 1 {
			t.Errorf("%d runs at a time, want 1", most.Load())
		}
		if got := runs.Load(); got < 20 {
			t.Errorf("%d runs, want one right after the other, at least 20", got)
		}
	})
}

func TestRemove(t *testing.T) {
	t.Run("while it runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := running(t, Options{})
			j := newStarts(s, time.Second, 10*time.Second)
			s.Add(&j.Job)
			sleep(500 * ms)
			s.Remove(&j.Job)
			if n := s.Lag().Running; n != 1 {
				t.Errorf("%d running after Remove, want the one that ran", n)
			}
			sleep(time.Hour)
			if n := s.Lag().Running; n != 0 {
				t.Errorf("%d running an hour later, want 0", n)
			}
			if diff := cmp.Diff([]time.Duration{50 * ms}, j.times); diff != "" {
				t.Errorf("starts (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("before the first start", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := running(t, Options{})
			time.Sleep(10 * ms)
			j := newStarts(s, time.Second, 0)
			s.Add(&j.Job)
			s.Remove(&j.Job)
			s.Remove(&j.Job)
			sleep(time.Hour)
			if len(j.times) != 0 {
				t.Errorf("started at %v, want never", j.times)
			}
		})
	})
	t.Run("and add again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := running(t, Options{})
			j := newStarts(s, time.Second, 0)
			s.Add(&j.Job)
			sleep(1510 * ms)
			s.Remove(&j.Job)
			s.Add(&j.Job)
			s.Add(&j.Job)
			sleep(100 * ms)
			if diff := cmp.Diff([]time.Duration{50 * ms, 1000 * ms, 1510 * ms}, j.times); diff != "" {
				t.Errorf("starts (-want +got):\n%s", diff)
			}
		})
	})
}

// A run that ends within Start is as good as any.
func TestDoneWithinStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		var runs int
		j := &Job{Interval: time.Second}
		j.Start = func() {
			runs++
			if runs == 1 {
				s.Soon(j) // while it runs
			}
			s.Done(j)
		}
		s.Add(j)
		sleep(2500 * ms)
		if runs != 4 {
			t.Errorf("%d runs, want 4: at once, the one that was asked for, and two regular ones", runs)
		}
		if n := s.Lag().Running; n != 0 {
			t.Errorf("%d running, want 0", n)
		}
	})
}

func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		j := newStarts(s, time.Second, 0)
		s.Soon(&j.Job) // not in the schedule: nothing
		s.Add(&j.Job)
		sleep(1310 * ms)
		s.Soon(&j.Job)
		s.Soon(&j.Job) // once, not twice
		sleep(1500 * ms)
		s.Remove(&j.Job)
		s.Soon(&j.Job)
		sleep(time.Hour)
		want := []time.Duration{50 * ms, 1000 * ms, 1350 * ms, 2000 * ms}
		if diff := cmp.Diff(want, j.times); diff != "" {
			t.Errorf("starts (-want +got):\n%s", diff)
		}
	})
}

func TestSetInterval(t *testing.T) {
	tests := []struct {
		name       string
		from, to   time.Duration
		at, until  time.Duration
		want       []time.Duration
		beforehand bool // before the job is added
	}{
		{
			name: "shorter keeps the phase", from: 10 * time.Second, to: 3 * time.Second,
			at: 12 * time.Second, until: 18500 * ms,
			want: []time.Duration{50 * ms, 10 * time.Second, 14 * time.Second, 17 * time.Second},
		},
		{
			name: "longer counts from the next start", from: time.Second, to: 10 * time.Second,
			at: 1500 * ms, until: 13 * time.Second,
			want: []time.Duration{50 * ms, time.Second, 2 * time.Second, 12 * time.Second},
		},
		{
			name: "of a job that is not in the schedule yet", from: time.Second, to: 2 * time.Second,
			until: 3 * time.Second, want: regular(2, 2*time.Second), beforehand: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := running(t, Options{})
				j := newStarts(s, tt.from, 0)
				if tt.beforehand {
					s.SetInterval(&j.Job, tt.to)
				}
				s.Add(&j.Job)
				if !tt.beforehand {
					sleep(tt.at)
					s.SetInterval(&j.Job, tt.to)
				}
				sleep(tt.until - tt.at)
				if diff := cmp.Diff(tt.want, j.times); diff != "" {
					t.Errorf("starts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRunWaitsForTheRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		began := time.Now()
		j := &Job{Interval: time.Second}
		work(s, j, func() { time.Sleep(500 * ms) })
		s.Add(j)
		s.Run(ctx)
		if took := time.Since(began); took != 500*ms {
			t.Errorf("Run returned after %v, want 500ms: when its last job had ended", took)
		}
	})
}
