package director

import (
	"errors"
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checkspec"
)

// troubleTime is how long a result counts when it is asked whether the trouble
// is ours.
const troubleTime = 5 * time.Second

// A trouble counts how many checks failed for want of something on our side,
// in this stretch of troubleTime and the one before.
type trouble struct {
	began     time.Time
	last, now tallied
	holding   bool
}

type tallied struct{ all, local int }

// add counts one result.
func (t *trouble) add(local bool, at time.Time) {
	if past := at.Sub(t.began); past >= troubleTime {
		t.last, t.now, t.began = t.now, tallied{}, at
		if past >= 2*troubleTime {
			t.last = tallied{}
		}
	}
	t.now.all++
	if local {
		t.now.local++
	}
}

// fewest is how many checks must have failed for a reason of ours before it
// says anything about the others.
const fewest = 3

// ours says whether most checks of late could not be made. Once they could not,
// this lasts until nearly all can be made again: with about half of them it would
// change with each result.
func (t *trouble) ours() bool {
	all, local := t.now.all+t.last.all, t.now.local+t.last.local
	if t.holding {
		return local*10 > all
	}
	return local >= fewest && local*2 > all
}

// judgeOurselves makes a failure one of ours while most checks fail for want
// of something on our side (holdlocal): what else fails then says more about
// us than about a real server.
func (d *Director) judgeOurselves(res *result) {
	if _, never := res.asked.(checkspec.Unusable); never {
		return // wrong in the file, which says nothing about this host
	}
	d.trouble.add(res.Local, res.at)
	holding := d.conf.HoldLocal && d.trouble.ours()
	if holding != d.trouble.holding {
		d.trouble.holding = holding
		if holding {
			d.o.Log("Holding the table: most checks cannot be made, the fault is on this side: %v", res.Err)
		} else {
			d.o.Log("The table is held no more: checks can be made again")
		}
	}
	if holding && res.Err != nil && !res.Local {
		res.Local = true
		res.Err = checker.LocalError{Err: fmt.Errorf("while most checks cannot be made: %w", res.Err)}
	}
}

// askNeighbours has everything else at the same address asked at once: when
// one check of a host fails, its others may be about to.
func (d *Director) askNeighbours(c *check) {
	if c == nil {
		return
	}
	for n := range d.neighbours(c) {
		d.sched.Soon(&n.job)
	}
}

// incomplete says whether a check of a database could not be made for want of
// what to ask, which the original logs in these words.
func incomplete(res *result) bool { return errors.Is(res.Err, checker.ErrSQLIncomplete) }
