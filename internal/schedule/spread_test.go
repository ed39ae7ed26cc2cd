package schedule

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

func TestFirstStarts(t *testing.T) {
	tests := []struct {
		name     string
		jobs     int
		oneByOne bool
		options  Options
		interval time.Duration
		atOnce   int // started at the first tick beside what most allows
		most     int // started in any tick
		within   time.Duration
	}{
		{name: "few at once", jobs: 200, interval: 10 * time.Second, atOnce: 200},
		{name: "many spread over the interval", jobs: 10_000, interval: time.Second, most: 640, within: 800 * ms},
		{name: "many, a short interval", jobs: 10_000, interval: 500 * ms, most: 1280, within: 400 * ms},
		{name: "many, a long interval", jobs: 10_000, interval: 10 * time.Second, most: 60, within: 9800 * ms},
		{name: "many, one by one", jobs: 10_000, oneByOne: true, interval: time.Second, atOnce: 200, most: 640, within: 800 * ms},
		{name: "a rate", jobs: 10_000, options: Options{Rate: 2000}, interval: time.Second, most: 101, within: 5 * time.Second},
		{name: "a rate, few jobs", jobs: 100, options: Options{Rate: 100}, interval: time.Second, most: 6, within: time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(tt.options)
				jobs := newJobs(tt.jobs, tt.interval)
				if tt.oneByOne {
					for _, j := range jobs {
						s.Add(j)
					}
				} else {
					s.Add(jobs...)
				}
				ticks := map[time.Duration]int{}
				started := drive(s, tt.within+50*ms)
				for _, times := range started {
					ticks[times[0]]++
				}
				if len(started) != tt.jobs {
					t.Errorf("%d jobs had their first start within %v and a tick, want all %d", len(started), tt.within, tt.jobs)
				}
				if got := ticks[0]; got < tt.atOnce {
					t.Errorf("%d started at once, want %d", got, tt.atOnce)
				}
				ticks[0] -= tt.atOnce
				for at, n := range ticks {
					if n > tt.most {
						t.Errorf("%d first starts at %v, want at most %d", n, at, tt.most)
					}
				}
			})
		})
	}
}

// The regular starts are spread evenly over ticks that are no more than it
// needs, whether the first ones were or not, and stay as they are.
func TestSpreadIsStable(t *testing.T) {
	for _, tt := range []struct{ jobs, ticks int }{{1, 1}, {10, 1}, {20, 2}, {50, 4}, {100, 10}, {200, 10}, {1000, 10}, {1280, 10}, {1300, 20}, {10_000, 20}} {
		t.Run(strconv.Itoa(tt.jobs), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{})
				s.Add(newJobs(tt.jobs, time.Second)...)
				perTick := map[time.Duration]int{}
				for _, times := range drive(s, 3900*ms) {
					if gap := times[1] - times[0]; gap <= 0 || gap > time.Second {
						t.Fatalf("starts at %v: the first gap is %v, want an interval at most", times, gap)
					}
					for k, at := range times[2:] {
						if at-times[k+1] != time.Second {
							t.Fatalf("starts at %v, want exact intervals", times)
						}
					}
					perTick[times[len(times)-1]]++
				}
				if len(perTick) != tt.ticks {
					t.Errorf("regular starts in %d ticks of an interval, want %d", len(perTick), tt.ticks)
				}
				limit := (tt.jobs/tt.ticks)*5/4 + 1
				if most := slices.Max(slices.Collect(maps.Values(perTick))); most > limit {
					t.Errorf("up to %d starts in one tick, want at most %d", most, limit)
				}
			})
		})
	}
}

// Jobs with different intervals, added at different times, start together.
func TestFewWakeUps(t *testing.T) {
	tests := []struct {
		name      string
		intervals []time.Duration
		want      int // ticks with starts in ten seconds
	}{
		{"every second", []time.Duration{time.Second}, 10},
		{"seconds of all kinds", []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}, 10},
		{"with halves", []time.Duration{time.Second, 2500 * ms}, 10 + 4},
		{"what does not meet them", []time.Duration{time.Second, 3100 * ms}, 10 + 7},
		{"shorter than a second", []time.Duration{500 * ms, 250 * ms, time.Second}, 40},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{})
				for _, interval := range tt.intervals {
					s.Add(newJobs(2, interval)...)
					drive(s, 750*ms)
				}
				ticks := map[time.Duration]bool{}
				for _, times := range drive(s, 30*time.Second) {
					for _, at := range times {
						if at > 20*time.Second && at <= 30*time.Second {
							ticks[at] = true
						}
					}
				}
				if len(ticks) > tt.want {
					t.Errorf("%d ticks with starts in 10s, want at most %d", len(ticks), tt.want)
				}
			})
		})
	}
}

// A hundred thousand jobs, of which every start is as regular as that of one,
// but for the second, which comes a little early. No tick has a burst.
func TestManyJobs(t *testing.T) {
	if size := unsafe.Sizeof(Job{}); size > 96 {
		t.Errorf("an idle job takes %d bytes, want at most 96", size)
	}
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		time.Sleep(123 * ms)
		s.Add(newJobs(100_000, 10*time.Second)...)
		perTick := map[time.Duration]int{}
		for _, times := range drive(s, 40*time.Second) {
			if first := times[1] - times[0]; first < 9750*ms || first > 10*time.Second {
				t.Fatalf("starts at %v: the first gap is %v, want an interval or up to 200ms less", times, first)
			}
			for k := range times[2:] {
				if times[k+2]-times[k+1] != 10*time.Second {
					t.Fatalf("starts at %v, want exact intervals", times)
				}
			}
			for _, at := range times {
				perTick[at]++
			}
		}
		if most := slices.Max(slices.Collect(maps.Values(perTick))); most > 520 {
			t.Errorf("up to %d starts in one tick, want about 500, and in the first round 510", most)
		}
	})
}

func newJobs(n int, interval time.Duration) []*Job {
	jobs := make([]*Job, n)
	for i := range jobs {
		jobs[i] = &Job{Interval: interval}
	}
	return jobs
}

// drive does what Run does, tick by tick in the present bubble from its present
// time on, and returns when each job was started. It needs no goroutines, of which the race detector
// cannot stand many in a bubble (go.dev/issue/78156).
func drive(s *Schedule, until time.Duration) map[*Job][]time.Duration {
	times := map[*Job][]time.Duration{}
	for end := s.now() + until; s.now() <= end; {
		at := s.now()
		for _, j := range s.due(at) {
			times[j] = append(times[j], at)
			j.running = false // over at once
		}
		time.Sleep(s.tick)
	}
	return times
}
