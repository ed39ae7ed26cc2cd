package schedule

import "time"

// Lag is how late a Schedule is.
type Lag struct {
	Overdue int           // jobs that are late by more than a tick
	Worst   time.Duration // the longest delay of a start in the last 30 to 60 s
	Running int           // jobs that are running
}

// Lag returns the lag of this moment. A job that waits for the end of its own last
// run is not late; one that waits for CPU is.
func (s *Schedule) Lag() Lag {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	l := Lag{Worst: s.worst.Within(now), Running: s.runs - s.starting}
	if s.starting > 0 {
		l.Worst = max(l.Worst, now-s.oldest)
	}
	// The jobs of the current tick are just being started.
	if tick := int64(now/s.tick) - 1; tick > s.done {
		l.Overdue = s.wheel.count(s.done, tick)
	}
	if now-s.timeOf(s.done) >= s.tick {
		l.Overdue += s.starting
	}
	return l
}

// Stalled returns the total time in which Run could not work, because the process or
// the machine stalled or was overloaded. Stalls under a tenth of a second are usual
// on a busy machine and do not count. A stall that begins and ends while Run would
// have slept anyway, a second at most, is not detected.
func (s *Schedule) Stalled() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stalls.total + s.stalls.present(s.now())
}

// LastTick returns the time of Run's last iteration, New's time before the first. A
// working loop iterates at least once a second, also without jobs: an older time
// means a stall. LastTick never blocks.
func (s *Schedule) LastTick() time.Time { return s.epoch.Add(time.Duration(s.beat.Load())) }

// window is half of the period of a Worst.
const window = 30 * time.Second

// A Worst is the largest of the delays in the current window of time and the one
// before.
type Worst struct {
	began     time.Duration // this window
	now, last time.Duration // the largest of it and of the one before
}

// Note adds a delay at the time t, which counts from any fixed moment.
func (w *Worst) Note(t, delay time.Duration) {
	w.advance(t)
	w.now = max(w.now, delay)
}

// Within returns the largest delay as of the time t.
func (w *Worst) Within(t time.Duration) time.Duration {
	w.advance(t)
	return max(w.now, w.last)
}

// advance begins the window of the time t.
func (w *Worst) advance(t time.Duration) {
	began := t.Truncate(window)
	if began == w.began {
		return
	}
	last := w.now
	if began != w.began+window {
		last = 0
	}
	*w = Worst{began: began, last: last}
}
