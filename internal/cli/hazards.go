package cli

import (
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// zeroWeightProblems warns of the effect on clients while a real server is quiesced.
func zeroWeightProblems(cfg *conf.Config) (problems conf.Problems) {
	if cfg == nil {
		return nil
	}
	setting := func(string) string {
		if cfg.HostSetup.On() { // the daemon sets what the configuration wants
			return "1"
		}
		return ""
	}
	for _, v := range cfg.Virtuals {
		for _, h := range policy.ZeroWeightHazards(v, policy.Quiesced, setting) {
			problems = append(problems, &conf.Problem{
				Path: v.File, Line: v.Line, Warning: true, Code: conf.CodeZeroWeight, Text: v.ID() + ": " + h.What + ": " + h.Why, Hint: h.Cure,
			})
		}
	}
	return problems
}
