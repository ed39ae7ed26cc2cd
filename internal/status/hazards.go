package status

import (
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

// drainHazards says what clients meet while real servers are drained, in one
// line for each virtual service where they meet something.
func drainHazards(cfg *conf.Config, orders []report.Override) []string {
	drained := map[string]bool{}
	for _, o := range orders {
		if o.Verb == report.Drain {
			drained[o.Virtual] = true
		}
	}
	var lines []string
	for _, v := range cfg.Virtuals {
		if !drained[v.ID()] {
			continue
		}
		for _, h := range policy.ZeroWeightHazards(v, policy.DrainedZero, nil) {
			lines = append(lines, v.ID()+": "+h.What+": "+h.Why+" ("+h.Cure+")")
		}
	}
	return lines
}
