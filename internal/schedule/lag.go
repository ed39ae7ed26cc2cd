package schedule

import "time"

// Lag says how far a Schedule is behind its plan.
type Lag struct {
	Overdue int           // jobs that should have started a whole tick ago and have not
	Worst   time.Duration // the longest delay of a start in the last 30 to 60 s
	Running int           // jobs that are running
}

// Lag measures the lag at this moment. A job that waits for the end of its own
// last run is not late; one that waits for CPU is.
func (s *Schedule) Lag() Lag {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	l := Lag{Worst: s.worst.Within(now), Running: s.runs - s.starting}
	if s.starting > 0 {
		l.Worst = max(l.Worst, now-s.oldest)
	}
	// The jobs of the current tick are being started right now.
	if tick := int64(now/s.tick) - 1; tick > s.done {
		l.Overdue = s.wheel.count(s.done, tick)
	}
	if now-s.timeOf(s.done) >= s.tick {
		l.Overdue += s.starting
	}
	return l
}

// Stood returns for how long Run could not do its work in all, because the
// process or the machine stood still or had too much else to do. Less than a
// tenth of a second at a time is the usual unrest of a busy machine and does not
// count. What begins and ends while Run would have slept anyway, a second at most,
// goes unnoticed.
func (s *Schedule) Stood() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stood + s.standing(s.now())
}

// LastTick returns when the loop of Run last came round, New's time if it never
// did. A loop that works does so at least once a second, with nothing to do
// too: an older time means that it stands still. LastTick never blocks.
func (s *Schedule) LastTick() time.Time { return s.epoch.Add(time.Duration(s.beat.Load())) }

// window is half of the time that a Worst looks back.
const window = 30 * time.Second

// A Worst remembers the largest of the delays noted in this window of time and
// in the one before.
type Worst struct {
	began     time.Duration // this window
	now, last time.Duration // the largest of it and of the one before
}

// Note takes up a delay that was seen at the time t, which counts from any
// moment on.
func (w *Worst) Note(t, delay time.Duration) {
	w.turn(t)
	w.now = max(w.now, delay)
}

// Within returns the largest delay as of the time t.
func (w *Worst) Within(t time.Duration) time.Duration {
	w.turn(t)
	return max(w.now, w.last)
}

// turn moves on to the window of the time t.
func (w *Worst) turn(t time.Duration) {
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
