package engine

import "time"

const (
	// excuse is the share of a timeout, 5 is a fifth, that a stall must reach to
	// make the timeout meaningless.
	excuse = 5
	// leastExcuse is how long that has to be at least: less is the usual unrest of
	// a busy machine.
	leastExcuse = 250 * time.Millisecond
)

// excuses reports whether a timeout is no evidence about the real server, because
// this process stalled meanwhile. The real server may have answered, or could not,
// if it was part of the stall.
func excuses(timeout, stalled time.Duration) bool {
	return stalled >= max(timeout/excuse, leastExcuse)
}

// isExcused reports whether the attempt that failed just now does not count.
func (r *run) isExcused() bool {
	late := time.Since(r.attempt.deadline) // also the delay of this goroutine
	return late >= 0 && !r.excused && excuses(r.timeout, max(late, r.engine.stalled()-r.attempt.stalled))
}
