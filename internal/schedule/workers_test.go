package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// idle returns how many workers have nothing to do.
func idle(s *Schedule) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.workers.idle)
}

// As many workers as a mass failure needs are gone some time after it.
func TestSpareWorkersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		hanging := newJobs(1000, time.Minute)
		for _, j := range hanging {
			j.Run = func(context.Context) { time.Sleep(5 * time.Second) }
		}
		few := newJobs(10, time.Second)
		for _, j := range few {
			j.Run = func(context.Context) { time.Sleep(100 * ms) }
		}
		s.Add(few...)
		s.Add(hanging...)
		s.Soon(hanging...)
		sleep(6 * time.Second)
		if got := idle(s); got < 990 {
			t.Fatalf("%d idle workers after 1000 runs at once, want about as many", got)
		}
		s.Remove(hanging...)
		sleep(3 * patience)
		if got := idle(s); got == 0 || got > 10 {
			t.Errorf("%d idle workers for 10 jobs that never run all at once, want some and at most 10", got)
		}
	})
}

// A worker whose last job was removed while it ran gives the next one a context
// that is not canceled.
func TestContextAfterRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, Options{})
		first := &Job{Interval: time.Second, Run: func(ctx context.Context) { <-ctx.Done() }}
		s.Add(first)
		sleep(100 * ms)
		s.Remove(first)
		synctest.Wait()
		var began, canceled int
		second := &Job{Interval: time.Second, Run: func(ctx context.Context) {
			began++
			if ctx.Err() != nil {
				canceled++
			}
		}}
		s.Add(second)
		sleep(3500 * ms)
		if began != 4 || canceled != 0 {
			t.Errorf("%d runs, %d of them with a canceled context; want 4 and none", began, canceled)
		}
		if got := idle(s); got != 1 {
			t.Errorf("%d workers, want the one of the first job to serve the second", got)
		}
	})
}
