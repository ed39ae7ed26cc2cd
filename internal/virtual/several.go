package virtual

import (
	"cmp"
	"slices"
	"time"
	"unique"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// Several are the checks of a real server that has more than one, or another than the own one
// of its virtual service.
type Several struct {
	Needed int // how many of them make it up
	Parts  []Part
	real   *Real // whose they are
}

// A Part is one of several checks of a real server, with its verdict.
type Part struct {
	policy.Tally
	Use       conf.CheckUse
	Beside    bool                 // it is an agent beside the checks, always the last one
	Number    int                  // of several uses of one block; 0 if it is the only one
	As        *conf.VirtualService // the virtual service with the settings of the check
	Spec      unique.Handle[checkspec.Spec]
	Limits    policy.Limits
	Check     *Check // nil with checktype = on: it is always up
	Unchecked bool   // it has not finished since the start or the reload that added it
	awaited   bool   // it has not finished since the end of a maintenance
	warned    uint32 // that the certificate ends, Unix seconds
}

// specs are those of the checks of one virtual service.
type specs map[*conf.VirtualService]unique.Handle[checkspec.Spec]

func (s specs) of(as *conf.VirtualService) unique.Handle[checkspec.Spec] {
	if spec, ok := s[as]; ok {
		return spec
	}
	s[as] = checkspec.Of(as, as.Request, as.Receive)
	return s[as]
}

// several are the checks of a real server.
func (s specs) several(v *conf.VirtualService, r *conf.RealServer) *Several {
	own := cmp.Or(v.Named(r.Check), v)
	parts := make([]Part, 0, 1+len(v.AlsoCheck))
	add := func(use conf.CheckUse, as *conf.VirtualService) {
		p := Part{Use: use, As: as, Spec: s.of(as), Limits: limits(as), Unchecked: true}
		if as.CheckType == conf.CheckOn {
			p.Verdict, p.Unchecked = policy.Up, false
		}
		parts = append(parts, p)
	}
	add(r.Check, own)
	if request := cmp.Or(r.RequestURL(), r.Request); request != own.Request || r.Receive != own.Receive {
		parts[0].Spec = checkspec.Of(own, request, r.Receive)
	}
	for _, n := range v.AlsoCheck {
		add(n.CheckUse, n.As)
	}
	number(parts)
	needed := policy.Needed(v.ChecksNeeded, len(parts))
	if p := agentPart(v); p != nil {
		parts = append(parts, *p)
	}
	return &Several{Needed: needed, Parts: parts}
}

// number numbers several uses of one block, whose arguments reports do not show.
func number(parts []Part) {
	uses, so := map[string]int{}, map[string]int{}
	for i := range parts {
		uses[parts[i].Use.Name]++
	}
	for i := range parts {
		if p := &parts[i]; uses[p.Use.Name] > 1 {
			so[p.Use.Name]++
			p.Number = so[p.Use.Name]
		}
	}
}

// limits are those of v's own check. That of checktype = on is one result, and no second one follows.
func limits(v *conf.VirtualService) policy.Limits {
	if v.CheckType == conf.CheckOn {
		return policy.Limits{Fall: 1, Rise: 1}
	}
	return policy.Limits{Fall: atLeastOne(v.FailureCount), Rise: atLeastOne(v.RiseCount)}
}

// score counts the checks.
func (s *Several) score() policy.Score {
	score := policy.Score{Needed: s.Needed}
	for i := range s.Parts {
		s.Parts[i].add(&score, s.Parts[i].Verdict)
	}
	return score
}

// finished counts the checks that have finished since the start or the reload that added them.
func (s *Several) finished() policy.Score {
	score := policy.Score{Needed: s.Needed}
	for i := range s.Parts {
		switch p := &s.Parts[i]; {
		case !p.Unchecked:
			p.add(&score, p.Verdict)
		case !p.Beside:
			score.Checks++
		}
	}
	return score
}

// rare is what few real servers of a virtual service need.
type rare struct {
	several  map[*Real]*Several        // of those that have not just the own check of it; nil is none
	dampings map[*Real]*policy.Damping // of those that have gone down since flapdamping is on; nil is none
	drains   map[*Real]*SelfDrain      // of those that their own answers have drained; nil is none
	asks     bool                      // external checks ask for weights
	leavings map[*Real]*Leaving        // of those that their checks have taken out, with quiescenttime or return = byhand; nil is none
	silent   map[*Real]bool            // agents beside the checks were asked and have never answered; nil is none
	found    map[*Real]policy.Found    // of those in service whose agent or external check may not have answered yet; nil is none
	maxConns map[*Real]uint32          // how many connections agents allow, where the file has another number; nil is none
}

// setSeveral notes the checks of r.
func (x *rare) setSeveral(r *Real, s *Several) {
	if x.several == nil {
		x.several = map[*Real]*Several{}
	}
	s.real, x.several[r] = r, s
}

// SeveralOf returns the checks of r if it has not just the own one of its virtual service, else
// nil.
func SeveralOf(r *Real) *Several { return r.Virtual.several[r] }

// own returns the settings of r's first check: that of its virtual service, unless the file
// names another one for it.
func own(r *Real) *conf.VirtualService {
	if s := SeveralOf(r); s != nil {
		return s.Parts[0].As
	}
	return r.Virtual.Conf
}

// IsOn reports whether r is up without a check.
func IsOn(r *Real) bool { return r.Virtual.Conf.CheckType == conf.CheckOn && SeveralOf(r) == nil }

// NeverChecked reports whether r has no check, and stays out of service.
func NeverChecked(r *Real) bool {
	return r.Virtual.Conf.CheckType == conf.CheckOff && SeveralOf(r) == nil
}

// part returns what c is of the checks, the first if it is more than one; nil if s is nil.
func (s *Several) part(c *Check) *Part {
	if s == nil {
		return nil
	}
	for i := range s.Parts {
		if p := &s.Parts[i]; p.Check == c {
			return p
		}
	}
	return nil
}

// TallyOf returns the tally of r for one of its checks, with its limits.
func TallyOf(r *Real, c *Check) (policy.Tally, policy.Limits) {
	if p := SeveralOf(r).part(c); p != nil {
		return p.Tally, p.Limits
	}
	return r.Tally, r.Virtual.Limits
}

// AsChecked returns r's virtual service with the settings of c.
func AsChecked(r *Real, c *Check) *conf.VirtualService {
	if p := SeveralOf(r).part(c); p != nil {
		return p.As
	}
	return r.Virtual.Conf
}

// adopt takes r for up, as it was found in service, until its checks fail.
func adopt(r *Real) {
	r.Verdict = policy.Up
	SeveralOf(r).assume(policy.Up)
}

// assume gives the checks without a verdict that of the real server, if it is up.
func (s *Several) assume(v policy.Verdict) {
	if s == nil || v != policy.Up {
		return
	}
	for i := range s.Parts {
		if p := &s.Parts[i]; p.Verdict == policy.Unchecked {
			p.Verdict = policy.Up
		}
	}
}

// NoteFinished notes that c has finished. It reports whether no other check is waited for, as
// all have finished since the start or the reload that added them; of a nil s this is so.
func (s *Several) NoteFinished(c *Check) bool {
	if s == nil {
		return true
	}
	all := true
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Check == c {
			p.Unchecked = false
		}
		all = all && !p.Unchecked
	}
	return all
}

// Decided reports whether the checks that have finished decide about verdict and weight, whatever
// others will find. A nil s has none.
func (s *Several) Decided() bool {
	if s == nil {
		return false
	}
	verdict := s.finished().Verdict()
	return verdict == policy.Down || verdict == policy.Up && !slices.ContainsFunc(s.Parts, Part.mayWeigh)
}

// Count counts a result of c, and returns its tally before. The verdict on the real
// server follows, unless flapdamping keeps it down.
func (s *Several) Count(c *Check, ok bool, attempts int, at time.Time) (before policy.Tally) {
	if p := s.part(c); p != nil {
		before = p.Tally
	}
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Check != c {
			continue
		}
		if p.awaited && !ok { // the first failed check since
			p.Failures, p.Attempts = 0, 0
		}
		p.awaited, p.Unchecked = false, false
		p.Tally = p.Count(ok, attempts, p.Limits, at)
	}
	s.summarize(at)
	return before
}

// summarize makes the tally of the real server that of its checks.
func (s *Several) summarize(at time.Time) {
	r := s.real
	verdict := s.score().Or(r.Verdict)
	if r.Damped() {
		verdict = policy.Down
	}
	if verdict != r.Verdict {
		r.Verdict, r.Since = verdict, at
	}
	worst := s.worst()
	r.Failures, r.Attempts, r.Successes = worst.Failures, worst.Attempts, 0
}

// worst is the check that has failed most often in a row, of several the first.
func (s *Several) worst() *Part {
	worst := &s.Parts[0]
	for i := range s.Parts {
		if s.Parts[i].Failures > worst.Failures {
			worst = &s.Parts[i]
		}
	}
	return worst
}

// Fails reports whether the checks together say down, though one of them may have succeeded.
// Those of a nil s do not.
func (s *Several) Fails() bool { return s != nil && s.score().Verdict() == policy.Down }

// Settled reports whether no check decides about the end of a maintenance any more.
func (s *Several) Settled() bool {
	if s == nil || s.real.Verdict == policy.Up {
		return true
	}
	for i := range s.Parts {
		if s.Parts[i].awaited {
			return false
		}
	}
	return true
}

// AwaitChecks lets the next check decide about r, of several the next ones. Until then it is
// down since a moment.
func AwaitChecks(r *Real, since time.Time) {
	r.Tally = downSince(since, r.Virtual.Limits)
	s := SeveralOf(r)
	if s == nil {
		return
	}
	for i := range s.Parts {
		if p := &s.Parts[i]; p.Check != nil && !p.Beside {
			p.Tally, p.awaited = downSince(since, p.Limits), true
		}
	}
	r.Successes = 0
}

// downSince is the tally of what the next good check makes up.
func downSince(since time.Time, l policy.Limits) policy.Tally {
	return policy.Tally{Verdict: policy.Down, Since: since, Failures: l.Fall, Successes: l.Rise - 1}
}

// inheritParts takes over for r what the checks of o, the same real server of an earlier
// configuration, have found out, each that of the same name. A new check of a real server that
// is up has to fail as often as any other until it counts.
func inheritParts(r, o *Real) {
	s, before := SeveralOf(r), SeveralOf(o)
	switch {
	case s == nil:
		before.keepOwn(r)
		return
	case before == nil:
		for i := range s.Parts {
			if p := &s.Parts[i]; p.Use.Name == "" && !p.Beside && p.As.CheckType != conf.CheckOn {
				p.Tally, p.Unchecked, p.warned = o.Tally, o.Unchecked, o.warned
			}
		}
	default:
		s.inherit(before)
	}
	s.assume(r.Verdict)
}

// inherit takes over what earlier checks of the same names have found out: of several uses of a
// block that with the same arguments, if there is one.
func (s *Several) inherit(before *Several) {
	taken, done := map[*Part]bool{}, map[*Part]bool{}
	for _, exact := range []bool{true, false} {
		for i := range s.Parts {
			p := &s.Parts[i]
			if p.As.CheckType == conf.CheckOn || done[p] {
				continue
			}
			for j := range before.Parts {
				q := &before.Parts[j]
				if p.Beside && agentOf(s.real) != agentOf(before.real) {
					continue
				}
				if !taken[q] && q.Check != nil && q.Use.Name == p.Use.Name && q.Beside == p.Beside && (!exact || q.Use == p.Use) {
					p.Tally, p.Unchecked, p.awaited, p.warned = q.Tally, q.Unchecked, q.awaited, q.warned
					taken[q], done[p] = true, true
					break
				}
			}
		}
	}
}

// keepOwn takes over for r the counts of the check that was one of several and is the only one now.
// The verdict stays until it has decided.
func (s *Several) keepOwn(r *Real) {
	if s == nil {
		return
	}
	for i := range s.Parts {
		if p := &s.Parts[i]; p.Use.Name == "" && !p.Beside {
			r.Failures, r.Attempts, r.Successes = p.Failures, p.Attempts, p.Successes
			if p.Check != nil {
				r.warned = uint32(Warned(s.real, p.Check))
			}
			return
		}
	}
}

// Differs reports whether the checks say something else than the verdict, as after a reload
// that has changed which are needed.
func (s *Several) Differs() bool {
	return !s.real.Damped() && s.score().Or(s.real.Verdict) != s.real.Verdict
}
