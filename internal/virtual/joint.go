package virtual

import (
	"cmp"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// A Joint is what is decided about the servers of a virtual service together: by minalive, quorum
// and backup servers. The zero Joint is that of a virtual service with none of these.
type Joint struct {
	policy.Standing
	rule policy.Rule
	up   int // how many are up, for the quorum
}

// ruleOf is the rule of a virtual service, but for the fallback, which the kernel may refuse.
func ruleOf(v *conf.VirtualService) policy.Rule {
	n := len(v.Reals)
	return policy.Rule{Reals: n, MinAlive: v.MinAlive.Of(n)}
}

// rule is the rule of v with the fallback as it is now.
func (v *Service) rule() policy.Rule {
	rule := v.Joint.rule
	rule.Fallback = v.Fallback != nil && !v.Refuses(v.Fallback.At)
	return rule
}

// jointFor is what the state of v as a whole means for r.
func (v *Service) jointFor(r *Real) policy.Joint {
	if !v.Joint.rule.Joint() {
		return policy.Alone
	}
	return v.Joint.For(v.rule(), false)
}

// Judge decides about the servers of v together. It returns those that minalive keeps in service
// from now on, the last one to go down first. What follows from the decision for each is not
// kept: it is decided anew with each question.
func (v *Service) Judge() (fresh []*Real) {
	if v.Joint.rule.MinAlive == 0 {
		for _, r := range v.Reals {
			r.Kept, r.Leaves = false, false // by the configuration before
		}
		if !v.Joint.rule.Joint() {
			return nil
		}
	}
	members := make([]policy.Member, len(v.Reals))
	for i, r := range v.Reals {
		members[i] = r.member()
		r.Leaves = false
	}
	g := policy.Judge(v.rule(), v.Joint.Standing, members)
	v.Joint.Standing, v.Joint.up = g.Standing, g.Up
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

// member is all that a decision about the virtual service reads of r.
func (r *Real) member() policy.Member {
	s := r.server()
	awaited := r.Awaited() && !r.Damped() || s.Agent == policy.AgentUnknown && r.File() == "" && !r.Out()
	return policy.Member{Server: s, Awaited: awaited, Serves: r.Kept || r.Leaves, Since: r.Since}
}
