package schedule

import (
	"context"
	"time"
)

// Run starts jobs at their times until ctx ends, then waits for the runs that
// are under way, whose contexts end with it. It is called once.
func (s *Schedule) Run(ctx context.Context) {
	defer s.dismiss()
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var ready []*worker
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		var sleep time.Duration
		ready, sleep = s.turn(ready[:0])
		for _, w := range ready {
			w.start <- struct{}{}
		}
		timer.Reset(sleep)
	}
}

// turn gives the jobs that are due to workers, which it appends to ready, and
// tells how long to sleep once those have been started.
func (s *Schedule) turn(ready []*worker) (_ []*worker, sleep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.beat.Store(int64(now))
	for _, j := range s.due(now) {
		ready = append(ready, s.assign(j))
	}
	s.workers.trim(now)
	s.worst.note(now, s.peak.take())
	s.sleeping = s.wheel.next(s.done, s.tickAt(now+heartbeat))
	return ready, s.timeOf(s.sleeping) - now
}

// due returns the jobs to start now and queues their next starts. What it
// returns is good until it is called again.
func (s *Schedule) due(now time.Duration) []*Job {
	tick := int64(now / s.tick)
	s.batch = s.wheel.take(s.batch[:0], s.done, tick)
	s.done = tick
	ready := s.batch[:0]
	for _, j := range s.batch {
		at := s.timeOf(j.tick)
		s.next(j, now)
		if j.worker != nil {
			j.again = true // its last run is not over; it follows then
			continue
		}
		j.at = at
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
