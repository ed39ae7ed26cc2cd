package director

import (
	"errors"
	"fmt"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/checkspec"
)

// judgeOurselves makes a failure one of ours while most checks fail for want
// of something on our side (holdlocal): other failures then are more about
// us than about a real server.
func (d *Director) judgeOurselves(res *checks.Result) {
	if _, never := res.Asked.(checkspec.Unusable); never {
		return // wrong in the file, and no matter of this host
	}
	var cause error
	if res.Local {
		cause = res.Err
	}
	d.trouble.Add(cause, res.At)
	holding := d.conf.HoldLocal && d.trouble.Ours()
	if holding != d.trouble.Holding {
		d.trouble.Holding = holding
		if holding {
			d.o.Log("Holding the table: most checks cannot be made, the fault is on this side: %v", d.trouble.Cause)
		} else {
			d.o.Log("The table is held no more: checks can be made again")
		}
	}
	if holding && res.Err != nil && !res.Local {
		res.Local, res.Held = true, res.Err
		res.Err = checker.LocalError{Err: fmt.Errorf("while most checks cannot be made: %w", res.Err)}
	}
}

// counted returns the result for a virtual service whose quorum is lost, where holdlocal has nothing
// to hold: a failure counts as what it is.
func counted(res *checks.Result) *checks.Result {
	if res.Held == nil {
		return res
	}
	as := *res
	as.Err, as.Local, as.Held = res.Held, false, nil
	return &as
}

// incomplete reports whether a check of a database could not be made because login or
// request is missing, which the original logs in these words.
func incomplete(res *checks.Result) bool { return errors.Is(res.Err, checker.ErrSQLIncomplete) }
