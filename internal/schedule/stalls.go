package schedule

import "time"

// stalls measures for how long the loop of a Schedule could not work. The
// Schedule's mutex guards it.
type stalls struct {
	promised time.Duration // the latest time of the loop's next iteration
	total    time.Duration // by how much the loop came later than promised
}

// promise records the latest time of the loop's next iteration, and by how much the
// loop missed the last one.
func (s *stalls) promise(now, next time.Duration) {
	s.total += s.present(now)
	s.promised = next
}

// present returns for how long the loop has been late, 0 below the usual delays of
// a busy machine.
func (s *stalls) present(now time.Duration) time.Duration {
	if late := now - s.promised; late >= unrest {
		return late
	}
	return 0
}
