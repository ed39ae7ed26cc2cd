package conf

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// AgentBeside is an agent on each real server beside its checks, as HAProxy's agent-check.
type AgentBeside struct {
	AgentPort     uint16        // 0 is no agent
	AgentInterval time.Duration // 0 is checkinterval
}

// Agent returns v with the settings of the agent beside its checks, nil if it has none. What its
// answer says is decided at once, and an attempt has checktimeout.
func (v *VirtualService) Agent() *VirtualService {
	if v.AgentPort == 0 || v.CheckType == CheckOff || v.CheckType == CheckAgent {
		return nil
	}
	as := *v
	as.Reals, as.MoreChecks = nil, MoreChecks{}
	as.CheckTarget = CheckTarget{CheckPort: v.AgentPort}
	as.CheckType, as.ExternalWeight = CheckAgent, false
	as.Timing = Timing{CheckInterval: cmp.Or(v.AgentInterval, v.CheckInterval), CheckTimeout: v.CheckTimeout, ChkLoop: 1}
	as.FailureCount, as.RiseCount = 1, 1
	return &as
}

// adviseAgent warns of directives of an agent that have no effect.
func adviseAgent(p *parser, b *block) {
	v := b.v
	unused := func(name, why, hint string) {
		if line := b.lines[name]; line != 0 && (name != "agentport" || v.AgentPort != 0) {
			p.advise(line, CodeUnusedDirective, fmt.Sprintf("%s has no effect %s: %s", name, why, v.ID()), hint)
		}
	}
	switch {
	case v.CheckType == CheckAgent:
		unused("agentport", "with checktype = agent, whose agent is at checkport", "checktype = connect, or another one, with an agent beside it")
		unused("agentinterval", "with checktype = agent", "checkinterval")
	case v.CheckType == CheckOff && v.AgentPort != 0:
		unused("agentport", "with checktype = off", "checktype = on takes the check for good, and asks the agent")
	case v.AgentPort == 0:
		unused("agentsend", "without agentport", "agentport = PORT")
		unused("agentinterval", "without agentport", "agentport = PORT")
	}
}

// readAgentPort reads agentport = PORT.
func readAgentPort(_ *location, value string) (uint16, error) {
	port, err := strconv.ParseUint(bareText(value), 10, 16)
	if err != nil || port == 0 {
		return 0, errors.New("agentport must be the number of a port, 1 to 65535, or none")
	}
	return uint16(port), nil
}
