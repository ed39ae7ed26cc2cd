package virtual

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/table"
)

// agentPart is the agent beside the checks of v's real servers (agentport), nil for none. It takes a
// real server for down only by its own word: until then, and when it does not answer, it says
// nothing.
func agentPart(v *conf.VirtualService) *Part {
	as := v.Agent()
	if as == nil {
		return nil
	}
	return &Part{Tally: policy.Tally{Verdict: policy.Up}, Beside: true, As: as, Spec: checkspec.Of(as, "", ""), Limits: limits(as), Unchecked: true}
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

// An agentKind is where the agent of a real server is, and what it is asked. The zero agentKind is
// that there is none.
type agentKind struct {
	beside bool // the checks; else it is the check
	at     netip.AddrPort
	send   string
}

func agentOf(r *Real) (k agentKind) {
	as := own(r)
	if p := SeveralOf(r).agent(); p != nil {
		k.beside, as = true, p.As
	}
	if as.CheckType == conf.CheckAgent {
		k.at, _ = checkspec.At(as, r.Conf)
		k.send = as.AgentSend
	}
	return k
}

// WithAgent reports whether r has an agent.
func WithAgent(r *Real) bool { return agentOf(r) != agentKind{} }

// inheritAgent takes over for r what the agent of o has said, unless r has another one.
func inheritAgent(r, o *Real) {
	v, before := r.Virtual, o.Virtual
	if f, ok := before.found[o]; ok && serverOf(o).Unknown() {
		v.setFound(r, f)
	}
	if agentOf(r) != agentOf(o) {
		return
	}
	r.Agent = o.Agent
	TakeMaxConn(r, before.maxConns[o])
	if before.silent[o] {
		setSilent(r)
	}
}

// adoptWeight takes the weight that the table has for r as Found, until its agent and its external checks
// have answered.
func adoptWeight(r *Real, s table.Slot) {
	v := r.Virtual
	if _, known := v.found[r]; known || s.Weight == 0 || r.Agent != policy.AgentUnknown && !v.asks {
		return
	}
	f := policy.Found{Weight: s.Weight, Of: serverOf(r).BaseOfFound()}
	if r.Reached < 100 {
		f.Reached = int(r.Reached)
	}
	v.setFound(r, f)
}

func (x *rare) setFound(r *Real, f policy.Found) {
	if x.found == nil {
		x.found = map[*Real]policy.Found{}
	}
	x.found[r] = f
}

// HasAgent reports whether the answers of c are those of r's agent.
func HasAgent(r *Real, c *Check) bool {
	s := SeveralOf(r)
	switch p := s.agent(); {
	case p != nil:
		return p.Check == c
	case s != nil:
		return s.Parts[0].As.CheckType == conf.CheckAgent && s.Parts[0].Check == c
	}
	return r.Virtual.Conf.CheckType == conf.CheckAgent
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
	if err == nil || c == nil {
		return false
	}
	p := SeveralOf(r).agent()
	return p != nil && p.Check == c && !isAgentWord(detail)
}

// isAgentWord reports whether a detail is what an agent has said, as its checker has it.
func isAgentWord(detail string) bool {
	_, mistake := checker.ParseAgent(detail)
	return mistake == nil
}

// isSilent reports whether p is an agent beside the checks that said nothing that counts.
func (p *Part) isSilent(o record.Outcome) bool {
	return p.Beside && o.Err() != nil && !o.Local() && !isAgentWord(o.Detail())
}

// agentSilent reports whether r's agent was asked and has never answered: one in the place of its check
// is down by that.
func agentSilent(r *Real) bool {
	s := SeveralOf(r)
	switch {
	case r.Agent != policy.AgentUnknown:
		return false
	case s.agent() != nil:
		return r.Virtual.silent[r]
	case s != nil:
		return s.Parts[0].Verdict == policy.Down
	}
	return r.Verdict == policy.Down
}

// AgentFails reports whether a failed check of r, whose tally was before, means that r waits for its
// agent no longer, which is one of several checks.
func AgentFails(r *Real, c *Check, before policy.Tally) bool {
	if r.Agent != policy.AgentUnknown || SeveralOf(r) == nil || !HasAgent(r, c) {
		return false
	}
	fails := agentSilent(r) && before.Verdict != policy.Down
	if fails && r.In() {
		r.Virtual.Moved(r, true, silence(SeveralOf(r).part(c)))
	}
	return fails
}

// CountMeanwhile counts a word of the agent beside the checks of r that does not decide about r now. It
// reports whether c is that agent.
func CountMeanwhile(r *Real, c *Check, ok bool, at time.Time) bool {
	p := SeveralOf(r).agent()
	if p == nil || p.Check != c {
		return false
	}
	p.Tally = p.Count(ok, 1, p.Limits, at)
	return true
}

// TakeSilence notes that the agent beside the checks of r did not answer, or could not be asked
// (local): then a weight that was found stays. It reports whether r's entry may change. One that has
// taken r for down has answered.
func TakeSilence(r *Real, local bool) bool {
	v := r.Virtual
	if p := SeveralOf(r).agent(); p != nil && p.Verdict == policy.Down {
		return false
	}
	if r.Agent != policy.AgentUnknown || v.silent[r] || local && v.found[r].Weight > 0 {
		return false
	}
	wasIn := r.In()
	setSilent(r)
	if isIn := r.In(); isIn != wasIn {
		v.Moved(r, isIn, silence(SeveralOf(r).agent()))
	}
	return true
}

// CountSilence lets the checks of r decide without their agent, which did not answer. It returns the
// maintenance that was over before, nil for none.
func CountSilence(r *Real, at time.Time) *event.Cause {
	s := SeveralOf(r)
	s.summarize(at)
	if !s.Settled() {
		return nil
	}
	return r.EndMaintenance()
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
	case p.Verdict == policy.Down && p.isSilent(o):
		return fmt.Sprintf("; down by what its agent said before, it %s now (%s)", silenceWords(o), o.Words())
	case p.Verdict == policy.Down:
		return "; down by its agent: " + o.Words()
	}
	return fmt.Sprintf("; its agent %s, which changes nothing (%s)", silenceWords(o), o.Words())
}

// silenceWords are what an agent does whose outcome says nothing that counts.
func silenceWords(o record.Outcome) string {
	if o.Detail() != "" {
		return "answers nonsense"
	}
	return "does not answer"
}

// silence is the cause that p, an agent, says nothing that counts.
func silence(p *Part) *event.Cause {
	o, _ := p.lastOutcome()
	words := "its agent " + silenceWords(o)
	if isAgentWord(o.Detail()) { // of an agent in the place of the check: it has answered
		words = "down by its agent: " + o.Words()
	}
	return &event.Cause{Kind: event.CauseCheck, Detail: words}
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
