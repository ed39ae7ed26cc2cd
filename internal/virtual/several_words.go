package virtual

import (
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
)

// label is how reports call the check: by the name of its block, with a number if the real server
// has several of one block, and that of the virtual service itself by its kind.
func (p *Part) label() string {
	switch {
	case p.Number > 0:
		return fmt.Sprintf("%s#%d", p.Use.Name, p.Number)
	case p.Use.Name != "":
		return p.Use.Name
	case p.Beside:
		return "agent"
	}
	return checkWord(p.As)
}

// FailedBy is why r fails by one of its checks: err, with the name of the check if r has several. A
// nil err, as after a reload that needs more of them, is the last failure of the others.
func FailedBy(r *Real, c *Check, err error) string {
	p := SeveralOf(r).part(c)
	switch {
	case err == nil:
		return r.LastError()
	case p == nil:
		return err.Error()
	}
	return p.label() + ": " + err.Error()
}

// WhichOf is how reports call one of the checks of r, "" for a single one.
func WhichOf(r *Real, c *Check) string {
	if p := SeveralOf(r).part(c); p != nil && r.Virtual.Conf.ManyChecks() {
		return p.label()
	}
	return ""
}

// lastError is why the checks that are down failed last.
func (s *Several) lastError() string {
	var words []string
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Verdict != policy.Down || p.Check == nil {
			continue
		}
		if err := p.lastError(); err != "" {
			words = append(words, p.label()+": "+err)
		}
	}
	if len(words) == 0 {
		return "down"
	}
	return strings.Join(words, "; ")
}

// lastError is why c failed last, "" if unknown.
func (c *Check) lastError() string {
	return c.lastErrorBut(func(record.Outcome) bool { return false })
}

// lastError is why p is down, "" if unknown. That an agent does not answer is no reason.
func (p *Part) lastError() string { return p.Check.lastErrorBut(p.isSilent) }

// lastErrorBut is why c failed last, without the outcomes for which but is true.
func (c *Check) lastErrorBut(but func(record.Outcome) bool) string {
	for _, o := range c.Past.Outcomes() {
		if err := o.Err(); err != nil && !o.Local() && !but(o) {
			return err.Error()
		}
	}
	return ""
}

// scoreWords are how many of the checks are up, and which are not. They follow other words.
func (s *Several) scoreWords() string {
	score := s.score()
	var words strings.Builder
	if score.Checks > 1 { // not only one with an agent beside it
		fmt.Fprintf(&words, "; %d of %d checks are up, %d needed", score.Up, score.Checks, s.Needed)
	}
	for i := range s.Parts {
		switch p := &s.Parts[i]; {
		case p.Beside:
			words.WriteString(p.agentWords())
		case p.Unchecked:
			words.WriteString("; " + p.label() + " has not finished yet")
		case p.Verdict == policy.Down && p.Successes > 0:
			fmt.Fprintf(&words, "; %s is down, with %d of %d good checks that make it up", p.label(), p.Successes, p.Limits.Rise)
		case p.Verdict == policy.Down:
			words.WriteString("; " + p.label() + " is down" + failedWords(", its", p.Failures))
		case p.Failures > 0:
			fmt.Fprintf(&words, "; of %s the last %d of %d checks failed that make it down", p.label(), p.Failures, p.Limits.Fall)
		}
	}
	return words.String()
}

// because returns the result of several checks in a code and a sentence.
func (s *Several) because(since string) (report.ReasonCode, string) {
	failing, recovering := false, false
	for i := range s.Parts {
		p := &s.Parts[i]
		failing = failing || p.Verdict == policy.Down || p.Failures > 0
		recovering = recovering || p.Verdict == policy.Down && p.Successes > 0
	}
	words := s.scoreWords()
	switch r := s.real; {
	case r.Unchecked && r.In():
		return report.ReasonAsFound, "not all checks of it have finished yet: it is in service as it was found in the kernel" + words
	case r.Verdict == policy.Unchecked, r.decide().Reason == policy.NotChecked:
		return report.ReasonUnchecked, "not all checks of it have finished yet" + words
	case r.Verdict == policy.Up && failing:
		return report.ReasonFailing, "up since " + since + words
	case r.Verdict == policy.Up:
		return report.ReasonUp, "up since " + since + words
	case recovering:
		return report.ReasonRecovering, downWords(r, since) + words
	}
	return report.ReasonDown, downWords(s.real, since) + words
}

// lastScore counts the checks by what they found last, whatever counts of it.
func (s *Several) lastScore() policy.Score {
	score := policy.Score{Needed: s.Needed}
	for i := range s.Parts {
		verdict := policy.Unchecked
		if c := s.Parts[i].Check; c == nil {
			verdict = policy.Up
		} else if o, ok := c.Past.LastFinished(); ok {
			verdict = policy.Up
			if o.Err() != nil {
				verdict = policy.Down
			}
		}
		s.Parts[i].add(&score, s.Parts[i].lastVerdict(verdict))
	}
	return score
}

// states are the states of the checks.
func (s *Several) states() report.Several {
	list := report.Several{ChecksNeeded: s.Needed}
	for i := range s.Parts {
		p := &s.Parts[i]
		state := report.CheckState{
			Name: p.label(), Block: p.Use.Name, Kind: checkWord(p.As), Beside: p.Beside, State: verdictWords[p.Verdict], Since: p.Since,
			Failures: int(p.Failures), FailureCount: int(p.Limits.Fall),
		}
		if p.Unchecked || p.Beside && s.real.Agent == policy.AgentUnknown && p.Verdict == policy.Up {
			state.State = report.StateUnchecked
		}
		if o, asked := p.lastOutcome(); asked {
			state.Silent = p.isSilent(o)
			state.Nonsense = state.Silent && o.Detail() != ""
		}
		if c := p.Check; c != nil {
			state.Interval = report.InSeconds(c.Pace())
			state.Last, state.Checks, state.Latencies = c.last(), c.Past.Checks(), c.Past.Latencies()
		}
		list.EachCheck = append(list.EachCheck, state)
	}
	return list
}

// describe adds what the checks have found out together: the counts of all, the latencies of
// the first, the last result of one that is down, else of the one that finished last.
func (s *Several) describe(state *report.RealState) {
	down := false
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Check == nil || p.Beside && p.Verdict != policy.Down {
			continue // what an agent says is in the weight
		}
		var one report.RealState
		p.Check.describe(&one)
		state.Checks.Add(one.Checks)
		if state.Latencies == nil {
			state.Latencies = one.Latencies
		}
		if ends := one.CertificateEnds; !ends.IsZero() && (state.CertificateEnds.IsZero() || ends.Before(state.CertificateEnds)) {
			state.CertificateEnds = ends
		}
		fails := p.Verdict == policy.Down
		if last := one.Last; last != nil && (state.Last == nil || fails && !down || fails == down && last.Time.After(state.Last.Time)) {
			named := *last
			named.Text = p.label() + ": " + named.Text
			state.Last, down = &named, fails
		}
	}
}
