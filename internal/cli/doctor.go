package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/host"
)

// doctorHelp is what help doctor says.
const doctorHelp = `Looks at this host as the director of the configuration: IPVS, the virtual
addresses and who else answers for them, forwarding, the kernel's settings, packet
marks, the packet filter, the way to each real server, other programs that write the
table, the clock. Each finding says what is so, why it matters, and what mends it.

  --vip ADDRESS[,ADDRESS...]   look at this host as a real server instead, without a
                               configuration
  --mode gate|ipip|masq        how the director forwards to it, gate if not given
  --dev DEV, --gateway ADDRESS as for host realserver
  --json                       for programs

Exit status 0: nothing, or notes; 1: warnings; 2: errors.`

// doctor says what is wrong with this host.
func (s *session) doctor() error {
	var o hostOptions
	asJSON := false
	flags := newFlags()
	o.realServerFlags(flags)
	flags.BoolVar(&asJSON, "json", false, "")
	if err := parseOptions(flags, s.inv.args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usageError(fmt.Sprintf("doctor does not understand %q", flags.Arg(0)))
	}
	findings, err := s.findings(o)
	if err != nil {
		return err
	}
	if err := s.showFindings(findings, asJSON); err != nil {
		return err
	}
	if worst := host.Worst(findings); worst > host.Note {
		return &daemon.Exit{Status: int(worst)}
	}
	return nil
}

// findings are those of a director, or of the real server that options describe.
func (s *session) findings(o hostOptions) ([]host.Finding, error) {
	ctx := context.Background()
	h := host.New(s.Dirs.Run)
	servers, err := realServers(o)
	if err != nil {
		return nil, err
	}
	if len(servers) > 0 {
		survey, err := h.SurveyRealServer()
		if err != nil {
			return nil, err
		}
		return host.DiagnoseRealServers(servers, survey), nil
	}
	if err := s.find(); err != nil {
		return nil, &daemon.Exit{Status: exitFailed, Text: err.Error()}
	}
	sources, err := conf.Read(s.Path)
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: daemon.Diagnosis(err)}
	}
	cfg, err := sources.Parse(withoutCredentials(daemon.Harmless(s.Dirs.ConfigOptions())))
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: daemon.Diagnosis(err)}
	}
	survey, err := h.Survey(ctx, cfg)
	if err != nil {
		return nil, err
	}
	findings := append(host.DiagnoseDirector(cfg, survey), s.outsideFindings(cfg)...)
	findings = append(findings, sandboxFindings("/", cfg)...)
	return append(findings, fileFindings(fileProblems(sources, cfg))...), nil
}

func (s *session) showFindings(findings []host.Finding, asJSON bool) error {
	if asJSON {
		if findings == nil {
			findings = []host.Finding{}
		}
		enc := json.NewEncoder(s.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(findings)
	}
	for _, f := range findings {
		fmt.Fprintln(s.Stdout, f)
	}
	if len(findings) == 0 {
		fmt.Fprintln(s.Stdout, "nothing is wrong here")
	}
	return nil
}
