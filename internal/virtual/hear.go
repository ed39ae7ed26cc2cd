package virtual

import (
	"github.com/ldirectord/ldirectord/internal/policy"
)

// andOut is a reason with what keeps r out of service whatever its checks say, if
// there is something.
func AndOut(reason string, r *Real) string {
	var words string
	switch r.decide().Reason {
	case policy.DrainedByOrder, policy.DisabledByOrder:
		words = "out of service by order: " + r.Override.String()
	case policy.DrainedByAgent:
		words = "out of service: its agent wants no new connections"
	default:
		return reason
	}
	if reason != "" {
		reason += "; "
	}
	return reason + words
}

func NotAsked(r *Real) string { return "not asked: " + r.Name() }
