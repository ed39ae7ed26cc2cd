package schedule

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Run starts jobs at their times until ctx ends, then waits for the runs that
// are under way, whose contexts end with it. It is called once.
func (s *Schedule) Run(ctx context.Context) {
	var runs sync.WaitGroup
	defer runs.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var batch []*Job
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		var sleep time.Duration
		batch, sleep = s.turn(batch[:0])
		for _, j := range batch {
			runs.Go(func() { s.run(ctx, j) })
		}
		clear(batch) // a removed job must not be kept alive from here
		timer.Reset(sleep)
	}
}

// turn appends the jobs to start now to batch and tells how long to sleep then.
func (s *Schedule) turn(batch []*Job) (ready []*Job, sleep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.beat.Store(int64(now))
	tick := int64(now / s.tick)
	batch = s.wheel.take(batch, s.done, tick)
	s.done = tick
	ready = slices.DeleteFunc(batch, func(j *Job) bool { return !s.hand(j, now) })
	s.sleeping = s.wheel.next(tick, s.tickAt(now+heartbeat))
	return ready, s.timeOf(s.sleeping) - now
}

// hand notes that a job whose tick has come is handed to a goroutine and queues
// its next regular start. It returns false for a job that is still busy with
// its last run: that one starts again when it has finished.
func (s *Schedule) hand(j *Job, now time.Duration) bool {
	if j.first {
		j.first = false
		s.waiting--
	}
	at := s.timeOf(j.tick)
	if late := now - j.due; late >= 0 {
		// Starts that were missed are not made up for, and the phase stays.
		j.due += (late/j.Interval + 1) * j.Interval
	}
	s.put(j, j.due)
	if j.busy {
		j.again = true
		return false
	}
	j.busy, j.at = true, at
	s.starting++
	return true
}

// run is one run of a job, in a goroutine of its own.
func (s *Schedule) run(ctx context.Context, j *Job) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.finish(j)
	if s.begin(j, cancel) {
		j.Run(ctx)
	}
}

// begin notes that a Run begins, unless the job was removed after it was handed
// out: Remove's word counts.
func (s *Schedule) begin(j *Job, cancel context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting--
	s.running++
	now := s.now()
	s.worst.note(now, now-j.at)
	j.cancel = cancel
	return j.added
}

// finish notes that a Run has ended.
func (s *Schedule) finish(j *Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	j.busy, j.cancel = false, nil
	if j.again {
		j.again = false
		s.wheel.remove(j)
		s.put(j, s.now())
	}
}
