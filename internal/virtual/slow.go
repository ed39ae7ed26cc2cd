package virtual

import (
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// startSlowly lets a real server that came back begin with a part of its
// weight.
func (r *Real) StartSlowly() {
	r.Reached = policy.Reached(r.Virtual.Conf.SlowStart, 0)
}

// agentBefore is the share of a real server whose agent has not answered yet.
func agentBefore(v *conf.VirtualService) int16 {
	if v.CheckType == conf.CheckAgent {
		return policy.AgentUnknown
	}
	return 100
}
