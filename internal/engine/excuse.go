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
func excuses(timeout, stood time.Duration) bool {
	return stood >= max(timeout/excuse, leastExcuse)
}

// isExcused reports whether the attempt that failed just now does not count.
func (c *conversation) isExcused() bool {
	late := time.Since(c.deadline) // also the delay of this goroutine
	return late >= 0 && !c.excused && excuses(c.timeout, max(late, c.engine.stood()-c.stood))
}
