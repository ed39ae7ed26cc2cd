package cli

import (
	"path/filepath"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
)

// buildProblems are warnings about services that are missing in this build.
func buildProblems(cfg *conf.Config, hasOracle bool) (problems conf.Problems) {
	if cfg == nil || hasOracle {
		return nil
	}
	for _, v := range cfg.EachCheck() {
		if v.Service == "oracle" && (v.CheckType == conf.CheckNegotiate || v.CheckType == conf.CheckCombined) {
			problems = append(problems, &conf.Problem{
				Path: v.File, Line: v.Line, Warning: true, Code: conf.CodeNotInBuild,
				Text: v.ID() + ": this program was built without Oracle (tag nooracle): its real servers are never up",
				Hint: "install the package ldirectord in the place of ldirectord-small, or build without the tag",
			})
		}
	}
	return problems
}

// The files that exist, below a root, if strict.conf is installed and in use.
const (
	strictFile = "/usr/share/ldirectord/strict.conf"
	strictUsed = "/etc/systemd/system/ldirectord.service.d/strict.conf"
)

// sandboxFindings propose strict.conf if it is installed and unused, and the configuration
// runs no commands.
func sandboxFindings(root string, cfg *conf.Config) []host.Finding {
	there := func(pattern string) bool {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		return len(files) > 0
	}
	if !there("/run/systemd/system") || !there(strictFile) || there(strictUsed) || runsCommands(cfg) {
		return nil
	}
	if slices.ContainsFunc(demands(cfg), func(d demand) bool { why, _ := d.refused(strictSandbox); return why != "" }) {
		return nil
	}
	return []host.Finding{{
		Code: host.CodeSandboxUnnecessary, Severity: host.Note, What: "ldirectord.service has the rights that commands need",
		Why: "the configuration runs none: less would do",
		Cure: "mkdir -p " + filepath.Dir(strictUsed) + " && cp " + strictFile + " " + filepath.Dir(strictUsed) +
			"/ && systemctl daemon-reload && systemctl restart ldirectord",
	}}
}

// runsCommands reports whether a daemon with this configuration starts other programs, as
// hostsetup may.
func runsCommands(cfg *conf.Config) bool {
	if cfg.Callback != "" || cfg.NotifyCommand != "" || cfg.VIPCommand != "" || cfg.HostSetup.On() || len(cfg.Execute) > 0 {
		return true
	}
	for _, v := range cfg.EachCheck() {
		if v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl || v.FallbackCommand != "" ||
			v.QuorumCommand != "" || v.EmailAlert != "" && v.SMTP == "" {
			return true
		}
	}
	return false
}
