package engine

import "time"

const (
	// excuse is the part of a time-out, 5 is a fifth, that has to have passed standing
	// still for it to say nothing.
	excuse = 5
	// leastExcuse is how long that has to be at least: less is the usual unrest of
	// a busy machine.
	leastExcuse = 250 * time.Millisecond
)

// excuses reports whether a time-out says nothing about the real server, because
// this process stood still for so long meanwhile. The real server may have
// answered, or could not, if it stood still with us.
func excuses(timeout, stood time.Duration) bool {
	return stood >= max(timeout/excuse, leastExcuse)
}

// isExcused reports whether the attempt that failed just now does not count.
func (c *conversation) isExcused() bool {
	late := time.Since(c.deadline) // as late as this goroutine came to hear of it
	return late >= 0 && !c.excused && excuses(c.timeout, max(late, c.engine.stood()-c.stood))
}
