package schedule

import (
	"context"
	"time"
)

// Run starts jobs at their times until ctx ends, then waits for the runs that
// are under way. It is called once.
func (s *Schedule) Run(ctx context.Context) {
	defer s.awaitRuns()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		for _, j := range s.turn() {
			s.begin(j)
		}
		s.pause()
		timer.Reset(s.rest())
	}
}

// turn takes the jobs that are due.
func (s *Schedule) turn() []*Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.beat.Store(int64(now))
	s.promise(now, now+s.tick)
	due := s.due(now)
	s.runs += len(due)
	s.starting = len(due)
	return due
}

// begin starts a job that was taken.
func (s *Schedule) begin(j *Job) {
	s.mu.Lock()
	s.starting--
	s.mu.Unlock()
	j.Start()
}

// rest tells how long to sleep until the next jobs are due. It has one look at
// the clock for all that were started: none was later than the last.
func (s *Schedule) rest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.batch) > 0 {
		s.worst.Note(now, now-s.oldest)
	}
	s.sleeping = s.wheel.next(s.done, s.tickAt(now.Truncate(heartbeat)+heartbeat))
	next := s.timeOf(s.sleeping)
	s.promise(now, max(now, next))
	return next - now
}

// promise says when the loop will be heard of again at the latest, and notes by
// how much it broke its last promise.
func (s *Schedule) promise(now, next time.Duration) {
	s.stood += s.standing(now)
	s.promised = next
}

// standing is for how long the loop has not been heard of although it should
// have been, 0 if that is no more than the usual unrest.
func (s *Schedule) standing(now time.Duration) time.Duration {
	if late := now - s.promised; late >= unrest {
		return late
	}
	return 0
}

// due returns the jobs to start now and queues their next starts. What it
// returns is good until it is called again.
func (s *Schedule) due(now time.Duration) []*Job {
	tick := int64(now / s.tick)
	s.batch = s.wheel.take(s.batch[:0], s.done, tick)
	s.done = tick
	s.oldest = now
	ready := s.batch[:0]
	for _, j := range s.batch {
		at := s.timeOf(j.tick)
		s.next(j, now)
		if j.running {
			j.again = true // its last run is not over; it follows then
			continue
		}
		j.running = true
		s.oldest = min(s.oldest, at)
		ready = append(ready, j)
	}
	return ready
}

// next queues the next regular start of a job whose time has come. Starts that
// were missed are not made up for, and the phase stays.
func (s *Schedule) next(j *Job, now time.Duration) {
	if j.first {
		j.first = false
		s.waiting--
	}
	if late := now - j.due; late >= 0 {
		j.due += (late/j.Interval + 1) * j.Interval
	}
	s.put(j, j.due)
}

// awaitRuns waits until no run is under way.
func (s *Schedule) awaitRuns() {
	s.mu.Lock()
	if s.runs == 0 {
		s.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	s.idle = idle
	s.mu.Unlock()
	<-idle
}
