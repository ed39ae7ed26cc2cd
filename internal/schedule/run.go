package schedule

import (
	"context"
	"time"
)

// Run starts jobs at their times until ctx ends, then waits for the current runs.
// It is called once.
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
		for _, j := range s.takeDue() {
			s.begin(j)
		}
		s.pause()
		timer.Reset(s.rest())
	}
}

// takeDue returns the jobs that are due and counts them as starting.
func (s *Schedule) takeDue() []*Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.beat.Store(int64(now))
	s.stalls.promise(now, now+s.tick)
	due := s.due(now)
	s.runs += len(due)
	s.starting = len(due)
	return due
}

// begin starts a due job.
func (s *Schedule) begin(j *Job) {
	s.mu.Lock()
	s.starting--
	s.mu.Unlock()
	j.Start()
}

// rest returns the time until the next jobs are due. One reading of the clock
// serves all jobs just started: none was later than the last.
func (s *Schedule) rest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.batch) > 0 {
		s.worst.Note(now, now-s.oldest)
	}
	s.sleeping = s.wheel.next(s.done, s.tickAt(now.Truncate(heartbeat)+heartbeat))
	next := s.timeOf(s.sleeping)
	s.stalls.promise(now, max(now, next))
	return next - now
}

// due returns the jobs to start now and queues their next starts. The result is
// valid until the next call.
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
			j.again = true // its last run is not over; the next one follows it
			continue
		}
		j.running = true
		s.oldest = min(s.oldest, at)
		ready = append(ready, j)
	}
	return ready
}

// next queues the next regular start of a due job. Missed starts are dropped, and
// the phase stays.
func (s *Schedule) next(j *Job, now time.Duration) {
	if j.first {
		j.first = false
		s.spread.started()
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
