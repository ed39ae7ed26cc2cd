package engine

import (
	"sync"
	"time"
)

const (
	// beat is how often a pulse beats. Less than that is not noticed.
	beat = 250 * time.Millisecond
	// excuse is the part of a time-out, 5 is a fifth, that has to have passed standing
	// still for it to say nothing. A beat at least is needed, too.
	excuse = 5
)

// A pulse measures for how long this process stood still while it asked: it was
// stopped, the machine was paused or moved elsewhere, or others had the
// processor. The real servers answered meanwhile, or could not.
type pulse struct {
	asks func() bool // reports whether anybody is being asked; feel comes after

	mu    sync.Mutex
	timer *time.Timer   // nil before the first beat
	due   time.Time     // of the next beat, zero while it rests
	stood time.Duration // in all
}

// feel returns for how long the process has stood still in all, and has the
// pulse beat from now on.
func (p *pulse) feel(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due.IsZero() {
		p.beatAfter(now)
	}
	p.note(now)
	return p.stood
}

// beatAfter sets the time of the next beat.
func (p *pulse) beatAfter(now time.Time) {
	p.due = now.Add(beat)
	if p.timer == nil {
		p.timer = time.AfterFunc(beat, p.beat)
		return
	}
	p.timer.Reset(beat)
}

// beat is called when it is time, or as soon as it can be.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due.IsZero() {
		return // it has just begun to rest
	}
	now := time.Now()
	p.note(now)
	p.beatAfter(now)
}

// note takes note of how late it is.
func (p *pulse) note(now time.Time) {
	if late := now.Sub(p.due); late > 0 {
		p.stood += late
		p.due = now
	}
}

// rest has the pulse rest if nobody is asked any more: to be idle is no
// standstill.
func (p *pulse) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.due.IsZero() && !p.asks() {
		p.due = time.Time{}
		p.timer.Stop()
	}
}

// excuses reports whether a failure says nothing about the real server: the time
// of the attempt is over, and too much of it has passed standing still since the
// pulse was felt to be before.
func (p *pulse) excuses(deadline time.Time, timeout, before time.Duration) bool {
	now := time.Now()
	return !now.Before(deadline) && p.feel(now)-before >= max(timeout/excuse, beat)
}
