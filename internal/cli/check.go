package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/status"
)

// checkCommand tests the configuration file and reports all its mistakes.
func checkCommand(flags *pflag.FlagSet) action {
	explain := flags.Bool("explain", false, "print what the file does, virtual service by virtual service")
	asJSON := flags.Bool("json", false, jsonHelp)
	return func(s *session, _ []string) error {
		if err := exclusive(flags, "explain", "json"); err != nil {
			return err
		}
		return s.check(*explain, *asJSON)
	}
}

func (s *session) check(explain, asJSON bool) error {
	cfg, problems, err := examine(s)
	if asJSON {
		return checkJSON(s, cfg, problems, err)
	}
	if err != nil {
		return err
	}
	fmt.Fprint(s.Stderr, problemText(problems))
	if cfg == nil {
		return &daemon.Exit{Status: exitConfig, Text: fmt.Sprintf("%s: %s", s.Path, plural(mistakes(problems), "mistake"))}
	}
	if explain {
		fmt.Fprint(s.Stdout, explanation(cfg))
	}
	if note := userNote(cfg); note != "" && unitAccount(cfg.Path).IsZero() {
		fmt.Fprint(s.Stdout, note)
	}
	fmt.Fprintln(s.Stdout, summary(cfg, len(problems)))
	return nil
}

// examine finds the problems of the configuration file. cfg is nil with mistakes; err is why
// the file cannot be read.
func examine(s *session) (cfg *conf.Config, problems conf.Problems, err error) {
	if err := s.find(); err != nil {
		return nil, nil, &daemon.Exit{Status: exitFailed, Text: withHint(err), Cause: err}
	}
	sources, err := conf.Read(s.Path)
	if err != nil {
		return nil, nil, &daemon.Exit{Status: exitConfig, Text: errors.Unwrap(err).Error(), Cause: err}
	}
	options := withoutCredentials(s.Path, daemon.Harmless(s.Dirs.ConfigOptions()))
	closed := logsClosedTo(os.Geteuid())
	options.TryOpen = closed.tryOpen(options.TryOpen)
	options.Startable = startable(s.Path, options)
	cfg, problems = conf.CheckFile(s.Path, sources.Files[0].Text, options)
	if !missingDirectory(problems) {
		problems = append(problems, maintenanceProblems(s, cfg, sources)...)
	}
	problems = append(problems, fileProblems(sources, cfg)...)
	problems = append(problems, closed.problems(sources, cfg)...)
	problems = append(problems, namedProblems(sources, cfg)...)
	problems = append(problems, sandboxProblems(sources, cfg)...)
	problems = append(problems, groupProblems(sources, cfg)...)
	problems = append(problems, zeroWeightProblems(cfg)...)
	problems = append(problems, emptyProblems(cfg)...)
	problems = append(problems, buildProblems(cfg, checker.HasOracle)...)
	problems.Sort(s.Path)
	return cfg, problems, nil
}

// withHint is the text of an error, with the hint of a problem below it.
func withHint(err error) string {
	if p, ok := errors.AsType[*conf.Problem](err); ok && p.Hint != "" {
		return err.Error() + "\n    " + p.Hint
	}
	return err.Error()
}

// checkJSON prints the problems of the configuration file for programs. A file that cannot be
// read is a mistake, too.
func checkJSON(s *session, cfg *conf.Config, problems conf.Problems, err error) error {
	status := exitOK
	if why, ok := errors.AsType[*daemon.Exit](err); ok {
		status = why.Status
		if problem, ok := errors.AsType[*conf.Problem](err); ok {
			problems = conf.Problems{problem}
		}
	} else if cfg == nil {
		status = exitConfig
	}
	d := checkDocument{Config: s.Path, Mistakes: mistakes(problems), Problems: problemDocuments(problems)}
	d.Warnings = len(problems) - d.Mistakes
	if cfg != nil {
		d.Virtuals, d.Reals = len(cfg.Virtuals), reals(cfg)
	}
	if err := printJSON(s.Stdout, d); err != nil {
		return err
	}
	if status == exitOK {
		return nil
	}
	return &daemon.Exit{Status: status}
}

// startable returns the test of a file that execute names in the file at own: it exists
// and has no mistakes, read with options.
func startable(own string, options conf.Options) func(name string) error {
	return func(name string) error {
		path, err := conf.Search(name)
		if err != nil {
			return err
		}
		if path == own {
			return errors.New(path + " is this file itself")
		}
		_, err = conf.Load(path, options)
		return err
	}
}

// problemText lists problems by line, with hints.
func problemText(problems conf.Problems) string {
	var b strings.Builder
	for _, p := range problems {
		kind := ""
		if p.Warning {
			kind = "warning: "
		}
		at := p.Path
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d", p.Path, p.Line)
		}
		fmt.Fprintf(&b, "%s: %s%s\n", at, kind, plainText(p.Text))
		if p.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", plainText(p.Hint))
		}
	}
	return b.String()
}

func mistakes(problems conf.Problems) int {
	n := 0
	for _, p := range problems {
		if !p.Warning {
			n++
		}
	}
	return n
}

// reals is the number of real servers of all virtual services.
func reals(cfg *conf.Config) int {
	n := 0
	for _, v := range cfg.Virtuals {
		n += len(v.Reals)
	}
	return n
}

// summary is the last line of check for a file without mistakes.
func summary(cfg *conf.Config, warnings int) string {
	verdict := "no mistakes"
	if warnings > 0 {
		verdict = plural(warnings, "warning")
	}
	return fmt.Sprintf("%s: %s, %s: %s", cfg.Path,
		plural(len(cfg.Virtuals), "virtual service"), plural(reals(cfg), "real server"), verdict)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// emptyProblems are about a configuration with nothing to do.
func emptyProblems(cfg *conf.Config) conf.Problems {
	if cfg == nil || len(cfg.Virtuals) > 0 || len(cfg.Execute) > 0 {
		return nil
	}
	return conf.Problems{{
		Path: cfg.Path, Warning: true, Code: conf.CodeNoVirtualServices, Text: "there is no virtual service, so that nothing is balanced",
		Hint: "a block begins with virtual = ADDRESS:PORT in the first column",
	}}
}

// groupProblems are about groups that there are not.
func groupProblems(sources *conf.Sources, cfg *conf.Config) conf.Problems {
	if cfg == nil {
		return nil
	}
	l := fileList{sources: sources, seen: map[string]bool{}}
	for directive, group := range map[string]string{"statusgroup": cfg.StatusGroup, "statusreadgroup": cfg.StatusReadGroup} {
		if group == "" {
			continue
		}
		if err := status.KnownGroup(group); err != nil {
			l.warn(nil, directive, conf.CodeUnknownGroup, directive+": "+err.Error(), "only root can use the daemon's socket; groupadd makes a group")
		}
	}
	return l.problems
}
