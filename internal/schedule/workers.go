package schedule

import (
	"context"
	"slices"
	"time"
)

// A worker is a goroutine that runs one job after another. Its stack and its
// context serve many runs: to make them for each would add a quarter to the CPU
// of a connect check.
type worker struct {
	job    *Job
	start  chan struct{} // job may start; closed when the worker is dismissed
	ctx    context.Context
	cancel context.CancelFunc
}

// workers are those without a job, the one used last at the end.
type workers struct {
	idle  []*worker
	spare int           // how many were idle all the time since they were trimmed
	since time.Duration // when they were trimmed
}

// patience is how long more workers than are needed stay: thousands are needed
// while thousands of servers do not answer, and then no more.
const patience = 10 * time.Second

// take returns the worker used last, nil if there is none.
func (w *workers) take() *worker {
	last := len(w.idle) - 1
	if last < 0 {
		return nil
	}
	taken := w.idle[last]
	w.idle = slices.Delete(w.idle, last, last+1)
	w.spare = min(w.spare, last)
	return taken
}

// trim dismisses those that were not needed for some time.
func (w *workers) trim(now time.Duration) {
	if now-w.since < patience {
		return
	}
	w.dismiss(w.spare)
	w.spare, w.since = len(w.idle), now
}

// dismiss ends the n workers that were used longest ago.
func (w *workers) dismiss(n int) {
	for _, idle := range w.idle[:n] {
		idle.dismiss()
	}
	w.idle = slices.Delete(w.idle, 0, n)
}

// dismiss ends a worker that has no job.
func (w *worker) dismiss() {
	w.cancel()
	close(w.start)
}

// assign gives j to a worker, which waits for the word to start.
func (s *Schedule) assign(j *Job) *worker {
	w := s.workers.take()
	if w == nil {
		w = &worker{start: make(chan struct{}, 1)}
		w.ctx, w.cancel = context.WithCancel(s.ctx)
		s.runs.Go(func() { s.work(w) })
	}
	w.job, j.worker = j, w
	s.busy++
	s.starting.Add(1)
	return w
}

// work runs what w is given until it is dismissed.
func (s *Schedule) work(w *worker) {
	for range w.start {
		s.starting.Add(-1)
		s.peak.note(s.now() - w.job.at)
		// The job may have been removed since it was given to w.
		if w.ctx.Err() == nil {
			w.job.Run(w.ctx)
		}
		s.finish(w)
	}
}

// finish takes the job from w again, which is idle then.
func (s *Schedule) finish(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := w.job
	w.job, j.worker = nil, nil
	s.busy--
	if j.again {
		j.again = false
		s.wheel.remove(j)
		s.put(j, s.now())
	}
	if s.ctx.Err() != nil {
		w.dismiss()
		return
	}
	if w.ctx.Err() != nil { // canceled by Remove
		w.ctx, w.cancel = context.WithCancel(s.ctx)
	}
	s.workers.idle = append(s.workers.idle, w)
}

// dismiss ends all workers, when they have ended their runs.
func (s *Schedule) dismiss() {
	s.mu.Lock()
	s.workers.dismiss(len(s.workers.idle))
	s.mu.Unlock()
	s.runs.Wait()
}
