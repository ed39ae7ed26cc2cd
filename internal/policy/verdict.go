package policy

import "time"

// A Verdict is up or down, after counting failures.
type Verdict uint8

// The verdicts.
const (
	Unchecked Verdict = iota // no check has finished, and it was not found in the table with a weight
	Up
	Down
)

// Limits are how many results in a row change a verdict; both are at least 1.
type Limits struct {
	Fall int32 // failurecount
	Rise int32 // risecount
}

// A Tally counts the results of a real server in a row.
type Tally struct {
	Since     time.Time // of the verdict
	Failures  int32     // failed checks in a row
	Successes int32     // checks in a row; they count while it is down
	Attempts  int32     // made by the failed checks in a row
	Verdict   Verdict
}

// Count returns the tally after one more result, of so many attempts. The first result of
// an unchecked real server decides at once, as it has no traffic yet.
func (t Tally) Count(ok bool, attempts int, l Limits, now time.Time) Tally {
	if ok {
		t.Failures, t.Attempts = 0, 0
		t.Successes++
		if t.Verdict == Unchecked || t.Verdict == Down && t.Successes >= l.Rise {
			t.Verdict, t.Since, t.Successes = Up, now, 0
		}
		return t
	}
	t.Successes = 0
	t.Failures++
	t.Attempts += int32(attempts)
	if t.Verdict == Unchecked || t.Verdict == Up && t.Failures >= l.Fall {
		t.Verdict, t.Since = Down, now
	}
	return t
}
