package virtual

import (
	"cmp"
	"slices"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// A Joint has the decisions about the servers of a virtual service together: by minalive, quorum
// and backup servers. The zero Joint is that of a virtual service with none of these.
type Joint struct {
	policy.Standing
	rule     policy.Rule
	up       policy.Ups      // how many are up
	reported policy.Standing // the last one in an event
}

// Joins reports whether servers are judged together, by a quorum or as backup servers.
func (j *Joint) Joins() bool { return j.rule.Joint() }

// inheritJoint takes over for v the decisions before a reload. Another quorum in the file is decided as at a
// start; the same one of other real servers is not another one.
func inheritJoint(v, old *Service) {
	j := &v.Joint
	j.Standing, j.up, j.reported = old.Joint.Standing, old.Joint.up, old.Joint.reported
	if v.Conf.Quorum != old.Conf.Quorum || v.Conf.Hysteresis != old.Conf.Hysteresis {
		j.Quorum = policy.QuorumUnknown
	}
}

// ruleNow is the rule of v with the fallback as it is now.
func ruleNow(v *Service) policy.Rule {
	rule := v.Joint.rule
	if v.Fallback != nil {
		rule.Fallback, rule.FallbackIn = !v.Refuses(v.Fallback.At), fallbackIn(v)
	}
	return rule
}

// needsFallback reports whether the fallback is to be in, also if the kernel refuses it. anyIn is
// whether a server is in service.
func needsFallback(v *Service, anyIn bool) bool {
	if v.Joint.rule.Quorum == 0 {
		return v.Fallback != nil && !anyIn
	}
	rule := ruleNow(v)
	rule.Fallback = v.Fallback != nil
	return rule.NeedsFallback(v.Joint.Standing, anyIn)
}

// jointFor is what the state of v as a whole means for r.
func jointFor(r *Real) policy.Joint {
	v := r.Virtual
	if !v.Joint.rule.Joint() {
		return policy.Alone
	}
	return v.Joint.For(ruleNow(v), r.Conf.Backup)
}

// Judge decides about the servers of v together. It returns those that minalive keeps in service
// from now on, the last one to go down first. What follows from the decision for each is not
// kept: it is decided anew with each question.
func Judge(v *Service) (fresh []*Real) {
	if v.Joint.rule.MinAlive == 0 {
		for _, r := range v.Reals {
			r.Kept, r.Leaves = false, false // by the configuration before
		}
		if !v.Joint.rule.Joint() {
			return nil
		}
	}
	members, before := make([]policy.Member, len(v.Reals)), v.Joint.Standing
	for i, r := range v.Reals {
		members[i], r.Leaves = memberOf(r), false
	}
	g := policy.Judge(ruleNow(v), before, members)
	v.Joint.Standing, v.Joint.up = g.Standing, g.Ups
	noteQuorum(v, before.Quorum)
	if before != g.Standing {
		endExternal(v, members)
	}
	for i, r := range v.Reals {
		kept := g.Kept != nil && g.Kept[i]
		if kept && !r.Kept {
			fresh = append(fresh, r)
		}
		r.Kept = kept
	}
	slices.SortStableFunc(fresh, func(a, b *Real) int { return cmp.Compare(b.Since.UnixNano(), a.Since.UnixNano()) })
	return fresh
}

// endExternal ends the external changes of the real servers that another standing of v takes out or
// lets in, as when their checks do. members are the real servers before it.
func endExternal(v *Service, members []policy.Member) {
	for i, r := range v.Reals {
		if r.In() != policy.Decide(members[i].Server).In && !v.SharesService(r) {
			delete(v.External, r.At())
		}
	}
}

// noteQuorum notes in case of an outage that the quorum was lost, or is met again.
func noteQuorum(v *Service, before policy.Quorum) {
	cause := &event.Cause{Kind: event.CauseQuorum}
	switch {
	case v.Joint.rule.Quorum == 0 || v.Joint.Quorum == before || v.Conf.KeepRest || v.Fallback == nil:
	case v.Joint.Quorum == policy.QuorumLost && v.Joint.up.ForQuorum > 0:
		cause.Detail = "the quorum is lost: " + v.Joint.words()
		v.Outage.Left = cause
	case v.Joint.Quorum == policy.QuorumMet && v.Joint.reported.Quorum == policy.QuorumLost:
		cause.Detail = "the quorum is met: " + v.Joint.words()
		v.Outage.Came = cause
	}
}

// memberOf is all that a decision about the virtual service reads of r.
func memberOf(r *Real) policy.Member {
	s := serverOf(r)
	awaited := !Waits(r) && (r.Awaited() && !r.Damped() || s.Awaits() && r.Verdict != policy.Down && r.File() == "" && !r.Out()) // an answer may still let it in
	return policy.Member{Server: s, Backup: r.Conf.Backup, Awaited: awaited, Serves: r.Kept || r.Leaves, Since: r.Since}
}
