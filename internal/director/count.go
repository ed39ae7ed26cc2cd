package director

import "time"

// verdict is what is believed of a real server.
type verdict uint8

const (
	unproven verdict = iota // never asked, and not found in the kernel with a weight
	up
	down
)

// limits is how many results in a row it takes to change a verdict; both are
// at least 1.
type limits struct {
	fall int32 // failurecount
	rise int32 // risecount
}

// A tally is what the checks of a real server said in a row.
type tally struct {
	since     time.Time // of the verdict
	failures  int32     // failed checks in a row
	successes int32     // in a row, while down
	attempts  int32     // made by the failed checks in a row
	verdict   verdict
}

// count is the tally after one more result. The first result of an unproven
// real server decides at once: it has no traffic to lose, and none that it has
// earned.
func (t tally) count(ok bool, attempts int, l limits, now time.Time) tally {
	if ok {
		t.failures, t.attempts = 0, 0
		t.successes++
		if t.verdict == unproven || t.verdict == down && t.successes >= l.rise {
			t.verdict, t.since, t.successes = up, now, 0
		}
		return t
	}
	t.successes = 0
	t.failures++
	t.attempts += int32(attempts)
	if t.verdict == unproven || t.verdict == up && t.failures >= l.fall {
		t.verdict, t.since = down, now
	}
	return t
}
