package policy

import (
	"math"
	"testing"
)

// With only the verdict set the rest means nothing.
func up(change func(*Server)) Server {
	s := Server{Weight: 50, Verdict: Up, Agent: 100, Reached: 100}
	change(&s)
	return s
}

// found has the table's weight stay until the agent speaks.
func found(weight, of int) func(*Server) {
	return func(s *Server) { s.Agent, s.Found = AgentUnknown, Found{Weight: weight, Of: of} }
}

func TestDecide(t *testing.T) {
	tests := map[string]struct {
		server Server
		want   Decision
	}{
		"up":                        {up(func(*Server) {}), Decision{In: true, Weight: 50}},
		"up with weight 0":          {up(func(s *Server) { s.Weight = 0 }), Decision{In: true}},
		"down":                      {up(func(s *Server) { s.Verdict = Down }), Decision{Reason: ChecksFail}},
		"unchecked":                 {up(func(s *Server) { s.Verdict = Unchecked }), Decision{Reason: NotChecked}},
		"kept":                      {up(func(s *Server) { s.Verdict, s.Kept = Down, true }), Decision{In: true, Weight: 50, Reason: KeptIn}},
		"maintenance":               {up(func(s *Server) { s.Maintenance, s.Order = true, Weighted }), Decision{Reason: InMaintenance}},
		"kept in maintenance":       {up(func(s *Server) { s.Verdict, s.Kept, s.Maintenance = Down, true, true }), Decision{Reason: InMaintenance}},
		"disabled":                  {up(func(s *Server) { s.Order = Disabled }), Decision{Reason: DisabledByOrder}},
		"drained":                   {up(func(s *Server) { s.Order = Drained }), Decision{Drains: true, Stays: true, Reason: DrainedByOrder}},
		"drained, unchecked":        {up(func(s *Server) { s.Order, s.Verdict = Drained, Unchecked }), Decision{Drains: true, Stays: true, Reason: DrainedByOrder}},
		"drained, down":             {up(func(s *Server) { s.Order, s.Verdict = Drained, Down }), Decision{Reason: DrainedByOrder}},
		"a weight by order":         {up(func(s *Server) { s.Order, s.OrderWeight = Weighted, 8 }), Decision{In: true, Weight: 8}},
		"the agent's drain":         {up(func(s *Server) { s.Agent = 0 }), Decision{Drains: true, Stays: true, Reason: DrainedByItself}},
		"half":                      {up(func(s *Server) { s.Agent = 50 }), Decision{In: true, Weight: 25, Reason: LimitedByAgent}},
		"double":                    {up(func(s *Server) { s.Agent = 200 }), Decision{In: true, Weight: 100, Reason: LimitedByAgent}},
		"a little":                  {up(func(s *Server) { s.Agent = 1 }), Decision{In: true, Weight: 1, Reason: LimitedByAgent}},
		"half of an order":          {up(func(s *Server) { s.Agent, s.Order, s.OrderWeight = 50, Weighted, 8 }), Decision{In: true, Weight: 4, Reason: LimitedByAgent}},
		"slowstart":                 {up(func(s *Server) { s.Reached = 10 }), Decision{In: true, Weight: 5, Reason: LimitedByStart}},
		"slowstart below the agent": {up(func(s *Server) { s.Agent, s.Reached = 50, 30 }), Decision{In: true, Weight: 15, Reason: LimitedByStart}},
		"slowstart above the agent": {up(func(s *Server) { s.Agent, s.Reached = 50, 70 }), Decision{In: true, Weight: 25, Reason: LimitedByAgent}},
		"slowstart of a drain":      {up(func(s *Server) { s.Agent, s.Reached = 0, 30 }), Decision{Drains: true, Stays: true, Reason: DrainedByItself}},
		"slowstart of an order":     {up(func(s *Server) { s.Reached, s.Order, s.OrderWeight = 10, Weighted, 80 }), Decision{In: true, Weight: 8, Reason: LimitedByStart}},
		"an agent still to speak, weight 0 in the table": {
			up(func(s *Server) { s.Agent, s.Held = AgentUnknown, true }), Decision{Drains: true, Stays: true, Reason: NotChecked},
		},
		"an agent still to speak, weight 0 by order": {
			up(func(s *Server) { s.Agent, s.Held, s.Order = AgentUnknown, true, Weighted }), Decision{In: true, Reason: LimitedByAgent},
		},
		"an agent still to speak":                   {up(found(13, 50)), Decision{In: true, Weight: 13, Reason: LimitedByAgent}},
		"an agent still to speak, not in the table": {up(func(s *Server) { s.Agent = AgentUnknown }), Decision{Reason: NotChecked}},
		"an agent still to speak, not in the table, quiescent": {
			up(func(s *Server) { s.Agent, s.Quiescent = AgentUnknown, true }), Decision{Stays: true, Reason: NotChecked},
		},
		"an agent still to speak, another weight in the table": {
			up(func(s *Server) { found(13, 50)(s); s.Before, s.Held = 0, true }), Decision{In: true, Weight: 13, Reason: LimitedByAgent},
		},
		"an agent still to speak, an order":        {up(func(s *Server) { found(25, 50)(s); s.Order, s.OrderWeight = Weighted, 8 }), Decision{In: true, Weight: 4, Reason: LimitedByAgent}},
		"an agent still to speak, a small order":   {up(func(s *Server) { found(1, 50)(s); s.Order, s.OrderWeight = Weighted, 8 }), Decision{In: true, Weight: 1, Reason: LimitedByAgent}},
		"an agent still to speak, an order before": {up(found(4, 8)), Decision{In: true, Weight: 25, Reason: LimitedByAgent}},
		"an agent still to speak, 0 in the file":   {up(func(s *Server) { found(25, 50)(s); s.Weight = 0 }), Decision{In: true, Reason: LimitedByAgent}},
		"an agent still to speak, slowstart":       {up(func(s *Server) { found(25, 50)(s); s.Reached = 10 }), Decision{In: true, Weight: 5, Reason: LimitedByStart}},
		"an agent that never spoke":                {up(func(s *Server) { found(25, 50)(s); s.Silent = true }), Decision{In: true, Weight: 50}},
		"an agent to speak, weight 0": {
			up(func(s *Server) { s.Verdict, s.Agent, s.Held = Unchecked, AgentUnknown, true }),
			Decision{Drains: true, Stays: true, Reason: NotChecked},
		},
		"half by order":         {up(func(s *Server) { s.Order, s.OrderShare = Weighted, 50 }), Decision{In: true, Weight: 25}},
		"a little by order":     {up(func(s *Server) { s.Order, s.OrderShare = Weighted, 1 }), Decision{In: true, Weight: 1}},
		"double by order":       {up(func(s *Server) { s.Order, s.OrderShare = Weighted, 200 }), Decision{In: true, Weight: 100}},
		"too much by order":     {up(func(s *Server) { s.Order, s.OrderShare, s.Weight = Weighted, 25600, 10_000_000 }), Decision{In: true, Weight: math.MaxInt32}},
		"half of half":          {up(func(s *Server) { s.Order, s.OrderShare, s.Agent = Weighted, 50, 50 }), Decision{In: true, Weight: 12, Reason: LimitedByAgent}},
		"half of the file's":    {up(func(s *Server) { s.Order, s.OrderShare, s.Asked = Weighted, 50, Asked{Given: true, Weight: 8} }), Decision{In: true, Weight: 25}},
		"asked for":             {up(func(s *Server) { s.Asked = Asked{Given: true, Weight: 7} }), Decision{In: true, Weight: 7, Reason: GivenByCheck}},
		"asked for, half of it": {up(func(s *Server) { s.Asked, s.Agent = Asked{Given: true, Weight: 8}, 50 }), Decision{In: true, Weight: 4, Reason: LimitedByAgent}},
		"asked for, an order":   {up(func(s *Server) { s.Asked, s.Order, s.OrderWeight = Asked{Given: true}, Weighted, 8 }), Decision{In: true, Weight: 8}},
		"asked for: 0":          {up(func(s *Server) { s.Asked = Asked{Given: true} }), Decision{Drains: true, Stays: true, Reason: DrainedByItself}},
		"asked for, unknown": {
			up(func(s *Server) { s.Asked, s.Found = Asked{Unknown: true}, Found{Weight: 13, Of: 50} }), Decision{In: true, Weight: 13},
		},
		"asked for, an agent still to speak": {
			up(func(s *Server) { found(5, 50)(s); s.Asked = Asked{Given: true, Weight: 10} }), Decision{In: true, Weight: 5, Reason: LimitedByAgent},
		},
		"asked for, unknown, an order": {
			up(func(s *Server) {
				s.Asked, s.Found, s.Order, s.OrderWeight = Asked{Unknown: true}, Found{Weight: 13, Of: 50}, Weighted, 8
			}), Decision{In: true, Weight: 8},
		},
		"asked for, silent": {
			up(func(s *Server) { s.Asked, s.Silent, s.Held = Asked{Unknown: true}, true, true }), Decision{In: true, Weight: 50},
		},
		"no overflow":                     {up(func(s *Server) { s.Weight, s.Agent = 1<<31-1, 25600 }), Decision{In: true, Weight: 1<<31 - 1, Reason: LimitedByAgent}},
		"dead, quiescent":                 {up(func(s *Server) { s.Verdict, s.Quiescent = Down, true }), Decision{Stays: true, Reason: ChecksFail}},
		"dead for quiescenttime":          {up(func(s *Server) { s.Verdict, s.Quiescent, s.Expired = Down, true, true }), Decision{Reason: ChecksFail}},
		"drained, dead for quiescenttime": {up(func(s *Server) { s.Order, s.Verdict, s.Quiescent, s.Expired = Drained, Unchecked, true, true }), Decision{Drains: true, Reason: DrainedByOrder}},
		"it waits":                        {up(func(s *Server) { s.Waits, s.Draining = true, true }), Decision{Reason: AwaitsEnable}},
		"it waits, quiescent":             {up(func(s *Server) { s.Waits, s.Quiescent = true, true }), Decision{Stays: true, Reason: AwaitsEnable}},
		"checktype = off":                 {up(func(s *Server) { s.Verdict, s.Cause = Unchecked, NoCheck }), Decision{Reason: NeverChecked}},
		"after maintenance":               {up(func(s *Server) { s.Verdict, s.Cause = Down, MaintenanceOver }), Decision{Reason: AwaitsCheck}},
		"after maintenance, disabled":     {up(func(s *Server) { s.Verdict, s.Cause, s.Order = Down, MaintenanceOver, Disabled }), Decision{Reason: DisabledByOrder}},
		"damped":                          {up(func(s *Server) { s.Verdict, s.Cause = Down, Flaps }), Decision{Reason: Damped}},
		"damped, kept":                    {up(func(s *Server) { s.Verdict, s.Cause, s.Kept = Down, Flaps, true }), Decision{In: true, Weight: 50, Reason: KeptIn}},
		"down after a drain":              {up(func(s *Server) { s.Verdict, s.Cause = Down, DrainedBefore }), Decision{Reason: DrainedDown}},
		"it waits, dead":                  {up(func(s *Server) { s.Waits, s.Verdict = true, Down }), Decision{Reason: ChecksFail}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Decide(tt.server); got != tt.want {
				t.Errorf("Decide(%+v)\n got %+v\nwant %+v", tt.server, got, tt.want)
			}
		})
	}
}

// Whatever decides: a real server out of service has no weight, and slowstart and the
// agent only reduce it.
func TestDecideLimits(t *testing.T) {
	for _, agent := range []int{0, 1, 33, 50, 100, 250} {
		for _, reached := range []int{10, 20, 50, 90, 100} {
			for _, weight := range []int{0, 1, 3, 50, 65535, math.MaxInt32} {
				both := Decide(up(func(s *Server) { s.Weight, s.Agent, s.Reached = weight, agent, reached }))
				byAgent := Decide(up(func(s *Server) { s.Weight, s.Agent = weight, agent }))
				byStart := Decide(up(func(s *Server) { s.Weight, s.Reached = weight, reached }))
				if both.In != (agent != 0) || !both.In && both.Weight != 0 {
					t.Errorf("weight %d, agent %d%%, slowstart %d%%: %+v", weight, agent, reached, both)
				}
				if both.In && both.Weight != min(byAgent.Weight, byStart.Weight) && reached < 100 {
					t.Errorf("weight %d, agent %d%%, slowstart %d%%: %d, want the lesser of %d and %d", weight, agent, reached, both.Weight, byAgent.Weight, byStart.Weight)
				}
			}
		}
	}
}

// While an answer that decides about the weight is awaited, the weight that was found stays: also where it was found
// while it climbed (slowstart), and is more than the share that is reached of the weight of the file. One that comes
// back meanwhile climbs.
func TestFoundWeightStaysBesideSlowstart(t *testing.T) {
	s := Server{Weight: 2, Verdict: Up, Agent: 100, Asked: Asked{Unknown: true}, Found: Found{Weight: 4, Of: 2, Reached: 50}}
	for reached, want := range map[int]int{50: 4, 100: 4, 10: 1} {
		if s.Reached = reached; Decide(s).Weight != want {
			t.Errorf("reached %d%%: weight %d, want %d", reached, Decide(s).Weight, want)
		}
	}
}
