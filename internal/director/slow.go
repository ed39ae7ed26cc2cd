package director

import (
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// slowSteps is in how many steps a weight climbs after a real server has come
// back (slowstart).
const slowSteps = 10

// startSlowly lets a real server that came back begin with a part of its
// weight.
func (r *real) startSlowly() {
	r.reached = 100
	if r.virtual.conf.SlowStart > 0 {
		r.reached = 100 / slowSteps
	}
}

// climb raises the weights of those that came back slowly, by the time they
// have been back.
func (d *Director) climb(now time.Time) {
	for _, v := range d.virtuals {
		if v.conf.SlowStart == 0 {
			continue
		}
		for _, r := range v.reals {
			if r.reached == 100 || r.verdict != up {
				continue
			}
			if reached := r.climbed(now); reached != r.reached {
				r.reached = reached
				d.touch(v)
			}
		}
	}
}

// climbed is the share of its weight that a real server has earned, in percent.
func (r *real) climbed(now time.Time) uint8 {
	done := int64(now.Sub(r.since)) * slowSteps / int64(r.virtual.conf.SlowStart)
	return uint8(min(100, max(0, done+1)*100/slowSteps))
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
