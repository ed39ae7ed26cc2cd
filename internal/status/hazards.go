package status

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

// zeroWeights are the orders that may leave a real server with weight 0.
var zeroWeights = map[string]policy.ZeroWeight{report.Drain: policy.DrainedZero, report.Disable: policy.DisabledZero}

// orderHazards are the effects on clients while real servers are drained or disabled, one
// line for each effect of a virtual service.
func orderHazards(cfg *conf.Config, orders []report.Override) []string {
	ordered := map[string]policy.ZeroWeight{}
	for _, o := range orders {
		if why, ok := zeroWeights[o.Verb]; ok {
			ordered[o.Virtual] = why
		}
	}
	var lines []string
	for _, v := range cfg.Virtuals {
		why, ok := ordered[v.ID()]
		if !ok {
			continue
		}
		for _, h := range policy.ZeroWeightHazards(v, why, kernelSetting) {
			lines = append(lines, v.ID()+": "+h.What+": "+h.Why+" ("+h.Cure+")")
		}
	}
	return lines
}

// kernelSetting is a parameter of IPVS in this network namespace, "" if it is unknown.
func kernelSetting(name string) string {
	text, err := os.ReadFile(filepath.Join("/proc/sys/net/ipv4/vs", name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
