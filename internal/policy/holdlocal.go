package policy

import (
	"time"
)

// troubleTime is the time that Trouble counts results for.
const troubleTime = 5 * time.Second

// A Trouble counts how many checks could not be made for a reason on our side, in this
// stretch of troubleTime and the one before (holdlocal).
type Trouble struct {
	began     time.Time
	last, now tallied
	Holding   bool  // set by the caller while the table is held
	Cause     error // why the last check that could not be made failed, nil before the first
}

type tallied struct{ all, local int }

// Add counts one result. cause is why the check could not be made, nil if it was made.
func (t *Trouble) Add(cause error, at time.Time) {
	if past := at.Sub(t.began); past >= troubleTime {
		t.last, t.now, t.began = t.now, tallied{}, at
		if past >= 2*troubleTime {
			t.last = tallied{}
		}
	}
	t.now.all++
	if cause != nil {
		t.now.local++
		t.Cause = cause
	}
}

// fewest is how many checks must have failed so before the others are judged by it.
const fewest = 3

// Ours reports whether most checks of late could not be made. Then this lasts until nearly
// all can be made again: with about half of them it would change with each result.
func (t *Trouble) Ours() bool {
	all, local := t.now.all+t.last.all, t.now.local+t.last.local
	if t.Holding {
		return local*10 > all
	}
	return local >= fewest && local*2 > all
}
