package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/ipvs"
)

// planCommand prints the changes that a reload, or a start if no daemon runs, would make in
// the kernel.
func planCommand(flags *pflag.FlagSet) action {
	asJSON := flags.Bool("json", false, jsonHelp)
	all := flags.Bool("all", false, "that of "+allHelp)
	return func(s *session, _ []string) error {
		if *all {
			return answerJSON(s, *asJSON, planAll(s, *asJSON))
		}
		return answerJSON(s, *asJSON, s.plan(*asJSON))
	}
}

func (s *session) plan(asJSON bool) error {
	lines, err := planned(s)
	if err != nil {
		return err
	}
	if asJSON {
		d := planDocument{Config: s.Path, Changes: []changeDocument{}}
		d.Changes = append(d.Changes, changesOf(lines)...)
		if err := printJSON(s.Stdout, d); err != nil {
			return err
		}
	}
	for _, line := range lines {
		if !asJSON {
			fmt.Fprintln(s.Stdout, line)
		}
	}
	if len(lines) > 0 {
		return &daemon.Exit{Status: exitPlanned}
	}
	return nil
}

// changesOf are changes for programs.
func changesOf(lines []string) (changes []changeDocument) {
	for _, line := range lines {
		option, _, _ := strings.Cut(line, " ")
		changes = append(changes, changeDocument{Code: changeCodes[option], Command: line})
	}
	return changes
}

// planned asks the daemon, which has the results of its checks.
func planned(s *session) ([]string, error) {
	q := s.orderer()
	defer q.Close()
	limit := planTime
	if _ = s.find(); s.Hangs() {
		limit = askTime
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	lines, err := q.Plan(ctx)
	if err == nil {
		return lines, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	options := daemon.Harmless(s.Dirs.ConfigOptions())
	options.TryOpen = logsClosedTo(os.Geteuid()).tryOpen(options.TryOpen)
	if !errors.Is(err, client.ErrNotRunning) {
		if _, bad := conf.Load(s.Path, options); s.Found && bad != nil {
			return nil, &daemon.Exit{Status: exitConfig, Text: diagnosis(bad), Cause: bad}
		}
		return nil, err
	}
	if err := s.find(); err != nil {
		return nil, &daemon.Exit{Status: exitFailed, Text: err.Error(), Cause: err}
	}
	cfg, err := conf.Load(s.Path, options)
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: diagnosis(err), Cause: err}
	}
	o := s.options()
	o.Config = cfg
	return daemon.PlanStart(ctx, o)
}

// save writes the kernel's table as ipvsadm-save does.
func (s *session) save() error {
	ctx, cancel := context.WithTimeout(context.Background(), daemon.OpenTimeout)
	defer cancel()
	table, err := s.OpenTable(ctx)
	if err != nil {
		return err
	}
	defer table.Close()
	entries, err := table.Read()
	if err != nil {
		return err
	}
	return ipvs.Save(s.Stdout, entries)
}
