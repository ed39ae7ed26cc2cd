package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/words"
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
	plan, err := planned(s)
	if err != nil {
		return err
	}
	if asJSON {
		d := planDocument{Config: s.Path, Changes: []changeDocument{}, LeftOut: plan.LeftOut}
		d.Changes = append(d.Changes, changesOf(plan.Changes)...)
		if err := printJSON(s.Stdout, d); err != nil {
			return err
		}
	} else {
		writePlan(s.Stdout, "", report.Plan{Changes: plan.Changes}) // for ipvsadm -R, which takes no comments
		writePlan(s.Stderr, "", report.Plan{LeftOut: plan.LeftOut})
	}
	if len(plan.Changes) > 0 {
		return &daemon.Exit{Status: exitPlanned}
	}
	return nil
}

// writePlan writes the changes of a plan, and what is left out of it, each behind indent.
func writePlan(w io.Writer, indent string, plan report.Plan) {
	for _, line := range plan.Changes {
		fmt.Fprintln(w, indent+words.OneLine(line))
	}
	for _, l := range plan.LeftOut {
		fmt.Fprintln(w, indent+words.OneLine(l.String()))
	}
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
func planned(s *session) (report.Plan, error) {
	q := s.orderer()
	defer q.Close()
	limit := planTime
	if _ = s.find(); s.Hangs() {
		limit = askTime
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	plan, err := q.Plan(ctx)
	if err == nil {
		return plan, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return report.Plan{}, err
	}
	options := daemon.Harmless(s.Dirs.ConfigOptions())
	options.TryOpen = logsClosedTo(os.Geteuid()).tryOpen(options.TryOpen)
	if !errors.Is(err, client.ErrNotRunning) {
		if _, bad := conf.Load(s.Path, options); s.Found && bad != nil {
			return report.Plan{}, &daemon.Exit{Status: exitConfig, Text: diagnosis(bad), Cause: bad}
		}
		return report.Plan{}, err
	}
	if err := s.find(); err != nil {
		return report.Plan{}, &daemon.Exit{Status: exitFailed, Text: err.Error(), Cause: err}
	}
	cfg, err := conf.Load(s.Path, options)
	if err != nil {
		return report.Plan{}, &daemon.Exit{Status: exitConfig, Text: diagnosis(err), Cause: err}
	}
	o := s.options()
	o.Config = cfg
	return daemon.PlanStart(ctx, o)
}

// save writes the sync daemons and timeouts of the kernel, and its table as ipvsadm-save does.
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
	if beside, ok := table.(ipvs.Beside); ok {
		if err := ipvs.SaveBeside(s.Stdout, beside); err != nil {
			return err
		}
	}
	return ipvs.Save(s.Stdout, entries)
}
