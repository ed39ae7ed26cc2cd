package virtual

import (
	"fmt"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
)

// agentPart is the agent beside the checks of v's real servers (agentport), nil for none. It takes a
// real server for down only by its own word: until then, and when it does not answer, it says
// nothing.
func agentPart(v *conf.VirtualService) *Part {
	as := v.Agent()
	if as == nil {
		return nil
	}
	return &Part{Tally: policy.Tally{Verdict: policy.Up}, Beside: true, As: as, Spec: checkspec.Of(as, "", ""), Limits: limits(as)}
}

// agent returns the agent beside the checks, nil for none; that of a nil s is nil.
func (s *Several) agent() *Part {
	if s == nil || !s.Parts[len(s.Parts)-1].Beside {
		return nil
	}
	return &s.Parts[len(s.Parts)-1]
}

// add counts p, with the verdict v.
func (p *Part) add(score *policy.Score, v policy.Verdict) {
	if p.Beside {
		score.ByAgent = v == policy.Down
		return
	}
	score.Add(v)
}

// An agentKind is where the agent of a real server is.
type agentKind struct {
	own    bool // its check
	beside bool
}

func agentOf(r *Real) agentKind {
	return agentKind{own: own(r).CheckType == conf.CheckAgent, beside: SeveralOf(r).agent() != nil}
}

// WithAgent reports whether r has an agent.
func WithAgent(r *Real) bool { return agentOf(r) != agentKind{} }

// HasAgent reports whether the answers of c are those of r's agent.
func HasAgent(r *Real, c *Check) bool {
	s := SeveralOf(r)
	if p := s.agent(); p != nil {
		return p.Check == c
	}
	return own(r).CheckType == conf.CheckAgent && (s == nil || s.Parts[0].Check == c)
}

// agentBefore is the share of a real server whose agent has not answered yet.
func agentBefore(r *Real) int16 {
	if WithAgent(r) {
		return policy.AgentUnknown
	}
	return 100
}

// AgentIsSilent reports whether a result of c is that of an agent beside the checks of r which said
// nothing that counts: it cannot be reached, or its line has other words.
func AgentIsSilent(r *Real, c *Check, detail string, err error) bool {
	if p := SeveralOf(r).agent(); err == nil || p == nil || c == nil || p.Check != c {
		return false
	}
	_, mistake := checker.ParseAgent(detail)
	return mistake != nil
}

// HearSilence notes that the agent beside the checks of r did not answer. It reports whether that
// may change the weight of r, which waits for the first answer.
func HearSilence(r *Real) bool {
	if r.Agent != policy.AgentUnknown || r.Virtual.silent[r] {
		return false
	}
	wasIn := r.In()
	setSilent(r)
	if isIn := r.In(); isIn != wasIn {
		r.Virtual.Moved(r, isIn, &event.Cause{Kind: event.CauseCheck, Detail: "its agent does not answer"})
	}
	return true
}

// setSilent notes that the agent beside the checks of r did not answer.
func setSilent(r *Real) {
	if r.Virtual.silent == nil {
		r.Virtual.silent = map[*Real]bool{}
	}
	r.Virtual.silent[r] = true
}

// agentWords are what the agent beside the checks has said last.
func (p *Part) agentWords() string {
	o, asked := p.lastOutcome()
	switch {
	case !asked:
		return "; its agent has not answered yet"
	case o.Err() == nil:
		return "; its agent says " + o.Words()
	case p.Verdict == policy.Down:
		return "; down by its agent: " + o.Words()
	}
	return fmt.Sprintf("; its agent does not answer, which changes nothing (%s)", o.Words())
}

// lastOutcome is the last result of p, false for none.
func (p *Part) lastOutcome() (record.Outcome, bool) {
	if p.Check == nil {
		return record.Outcome{}, false
	}
	return p.Check.Past.LastFinished()
}

// lastVerdict is found, the verdict of the last result of p; of an agent beside the checks it is the
// last word of that.
func (p *Part) lastVerdict(found policy.Verdict) policy.Verdict {
	if p.Beside {
		return p.Verdict
	}
	return found
}
