package virtual

import (
	"fmt"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

// asks reports whether external checks of v's real servers ask for weights.
func asks(c *conf.VirtualService) bool {
	return slices.ContainsFunc(c.EachCheck(), (*conf.VirtualService).Weighs)
}

// mayWeigh reports whether the first result of p is still to come, and may have a weight.
func (p Part) mayWeigh() bool {
	return p.Unchecked && (p.As.CheckType == conf.CheckAgent || p.As.Weighs())
}

// asked is the weight that the external checks of r ask for, of several the least. It is unknown
// as long as that of one is; silent is that those are down which have asked for nothing yet.
func asked(r *Real) (least policy.Asked, silent bool) {
	if !r.Virtual.asks {
		return least, false
	}
	silent = true
	for _, c := range r.Checks {
		if !c.Kit.ExternalWeight || c.Rare == nil {
			continue
		}
		is := c.Rare.Asked
		least.Unknown = least.Unknown || is.Unknown
		if is.Unknown {
			t, _ := TallyOf(r, c)
			silent = silent && t.Verdict == policy.Down
		}
		if is.Given && (!least.Given || is.Weight < least.Weight) {
			least.Given, least.Weight = true, is.Weight
		}
	}
	return least, silent
}

// TakeWeight takes over the weight that a result asks for. It returns the real servers whose
// weights may change by it. A check that fails asks for what it asked for before.
func TakeWeight(c *Check, res *engine.Result) []*Real {
	if !c.Kit.ExternalWeight || c.Rare == nil || res.Local {
		return nil
	}
	is := policy.Asked{Given: res.Weighs, Weight: res.Weight}
	switch {
	case res.Err != nil && c.Rare.Asked.Unknown: // if it is down now, the weight waits for it no longer
		return c.Users
	case res.Err != nil, is == c.Rare.Asked:
		return nil
	}
	wasIn := make([]bool, len(c.Users))
	for i, r := range c.Users {
		wasIn[i] = r.In()
	}
	c.Rare.Asked = is
	for i, r := range c.Users {
		if isIn := r.In(); isIn != wasIn[i] {
			r.Virtual.Moved(r, isIn, &event.Cause{Kind: event.CauseCheck, Detail: res.Detail})
		}
	}
	return c.Users
}

// weightWords says where a weight in service comes from, "" if from the file.
func weightWords(is policy.Decision) string {
	if is.Reason == policy.GivenByCheck {
		return fmt.Sprintf("; weight %d by its external check", is.Weight)
	}
	return ""
}

// FollowOrder lets a self-drain by a weight of 0 end with an order for the weight, which wins over it, and begin
// with the end of one. It returns the event of the latter, nil for none.
func FollowOrder(r *Real, now time.Time) *event.Event {
	if d := r.SelfDrain(); outweighed(r) && d != nil && d.allWeigh() {
		setSelfDrain(r, nil)
	}
	if outweighed(r) || r.Verdict != policy.Up || r.File() != "" {
		return nil
	}
	var e *event.Event
	for _, c := range r.Checks {
		if !c.Kit.ExternalWeight || c.Rare == nil || c.Rare.Asked != (policy.Asked{Given: true}) {
			continue
		}
		if r.SelfDrain() == nil {
			e = TakeDrain(r, true, false, "exit status 2, weight 0", now).Event
		}
		r.SelfDrain().Add(c, true)
	}
	return e
}

// outweighed reports whether an order for the weight of r wins over the weight 0 of its external
// check.
func outweighed(r *Real) bool { return r.ordered() == report.Weight }
