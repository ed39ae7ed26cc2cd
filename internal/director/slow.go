package director

import (
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// startSlowly lets a real server that came back begin with a part of its
// weight.
func (r *real) startSlowly() {
	r.reached = policy.Reached(r.virtual.conf.SlowStart, 0)
}

// climb raises the weights of those that came back slowly, by the time they
// have been back.
func (d *Director) climb(now time.Time) {
	for _, v := range d.virtuals {
		if v.conf.SlowStart == 0 {
			continue
		}
		for _, r := range v.reals {
			if r.reached == 100 || r.Verdict != policy.Up {
				continue
			}
			if reached := policy.Reached(v.conf.SlowStart, now.Sub(r.Since)); reached != r.reached {
				r.reached = reached
				d.touch(v)
			}
		}
	}
}

// heed takes over what an agent says besides that it lives: a part of the
// weight, or that it wants no new connections.
func (d *Director) heed(r *real, res *result) {
	if r.virtual.conf.CheckType != conf.CheckAgent {
		return
	}
	reply, err := checker.ParseAgent(res.Detail)
	if err != nil {
		return // the check has judged it already
	}
	if share := int16(reply.Weight); share != r.agent {
		wasIn := r.in()
		r.agent = share
		if isIn := r.in(); isIn != wasIn {
			r.virtual.moved(r, isIn, &event.Cause{Kind: event.CauseCheck, Detail: "its agent says so"})
		}
		d.touch(r.virtual)
	}
}

// agentBefore is the share of a real server whose agent has not answered yet.
func agentBefore(v *conf.VirtualService) int16 {
	if v.CheckType == conf.CheckAgent {
		return policy.AgentUnknown
	}
	return 100
}
