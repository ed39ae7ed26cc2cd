package director

import (
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// climb raises the weights of those that came back slowly, by the time they
// have been back.
func (rc *reconciler) climb(now time.Time) {
	for _, v := range rc.virtuals {
		if v.Conf.SlowStart == 0 {
			continue
		}
		for _, r := range v.Reals {
			if r.Reached == 100 || r.Verdict != policy.Up {
				continue
			}
			if reached := policy.Reached(v.Conf.SlowStart, now.Sub(r.Since)); reached != r.Reached {
				r.Reached = reached
				rc.touch(v)
			}
		}
	}
}

// takeAgentShare takes over an agent's answer besides that it is up: a part of the
// weight, or that it wants no new connections.
func (d *Director) takeAgentShare(r *virtual.Real, res *checks.Result) {
	if !virtual.HasAgent(r, res.Check) {
		return
	}
	reply, err := checker.ParseAgent(res.Detail)
	if err != nil {
		return // the check has judged it already
	}
	if virtual.HearMaxConn(r, reply.MaxConn) {
		d.touch(r.Virtual)
	}
	if share := int16(reply.Weight); share != r.Agent {
		wasIn := r.In()
		r.Agent = share
		if isIn := r.In(); isIn != wasIn {
			r.Virtual.Moved(r, isIn, &event.Cause{Kind: event.CauseCheck, Detail: "its agent says so"})
		}
		d.touch(r.Virtual)
	}
}
