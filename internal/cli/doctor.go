package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/host"
)

// doctorHelp is the help of doctor.
const doctorHelp = `Examines this host as the director of the configuration: IPVS, the virtual
addresses and other hosts that answer for them, forwarding, the kernel's
settings, packet marks, the packet filter, the way to each real server, other
programs that write the table, other directors, the limits of the kernel, the
clock. Each finding has the fault, its effect, and the cure.`

// doctorCommand reports the mistakes of this host.
func doctorCommand(flags *pflag.FlagSet) action {
	var o hostOptions
	flags.StringSliceVar(&o.vips, "vip", nil, "ADDRESS,...\texamine this host as a real server of these virtual addresses instead, without a configuration")
	flags.StringVar(&o.mode, "mode", "gate", "gate|ipip|masq\thow the director forwards to it, gate if not given")
	flags.StringVar(&o.dev, "dev", "", "DEV\tas for host realserver")
	flags.StringVar(&o.gateway, "gateway", "", "ADDRESS\tas for host realserver")
	asJSON := flags.Bool("json", false, "for programs")
	all := flags.Bool("all", false, "the hosts of "+allHelp)
	return func(s *session, arguments []string) error {
		if len(arguments) > 0 {
			return usageError(fmt.Sprintf("doctor does not understand %q", arguments[0]))
		}
		if err := examinable(flags, o); err != nil {
			return err
		}
		if err := exclusive(flags, "all", "vip"); err != nil {
			return err
		}
		if *all {
			return answerJSON(s, *asJSON, doctorAll(s, *asJSON))
		}
		return answerJSON(s, *asJSON, s.doctor(o, *asJSON))
	}
}

// examinable tests the options for a real server: none may be without effect.
func examinable(flags *pflag.FlagSet, o hostOptions) error {
	if err := o.realServer("down"); err != nil { // as down, it needs no gateway
		return err
	}
	if len(o.vips) > 0 && o.dev != "" && !host.HasDevice(o.dev) {
		return noDevice(o.dev)
	}
	if len(o.vips) > 0 || o.mode == "masq" {
		return nil
	}
	for _, name := range []string{"dev", "mode"} {
		if flags.Changed(name) {
			return usageError("--" + name + " needs --vip ADDRESS: without it the director is examined")
		}
	}
	return nil
}

func (s *session) doctor(o hostOptions, asJSON bool) error {
	findings, err := s.findings(o)
	if err != nil {
		return err
	}
	if err := writeFindings(s.Stdout, findings, asJSON); err != nil {
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
		return nil, &daemon.Exit{Status: exitFailed, Text: err.Error(), Cause: err}
	}
	sources, err := conf.Read(s.Path)
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: diagnosis(err), Cause: err}
	}
	options := withoutCredentials(s.Path, daemon.Harmless(s.Dirs.ConfigOptions()))
	options.TryOpen = logsClosedTo(os.Geteuid()).tryOpen(options.TryOpen)
	cfg, err := sources.Parse(options)
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: diagnosis(err), Cause: err}
	}
	survey, err := h.Survey(ctx, cfg)
	if err != nil {
		return nil, err
	}
	findings := append(host.DiagnoseDirector(cfg, survey), s.outsideFindings(cfg)...)
	findings = append(findings, sandboxFindings("/", cfg)...)
	return append(findings, fileFindings(slices.Concat(fileProblems(sources, cfg), certificateProblems(sources, cfg), sandboxProblems(sources, cfg)))...), nil
}

func writeFindings(w io.Writer, findings []host.Finding, asJSON bool) error {
	if asJSON {
		if findings == nil {
			findings = []host.Finding{}
		}
		return printJSON(w, findings)
	}
	for _, f := range findings {
		fmt.Fprintln(w, f)
	}
	if len(findings) == 0 {
		fmt.Fprintln(w, "nothing is wrong here")
	}
	return nil
}
