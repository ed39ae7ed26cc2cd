package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/ipvs"
)

// plan prints the changes that a reload, or a start if no daemon runs, would make in the
// kernel.
func (s *session) plan() error {
	lines, err := s.planned()
	if err != nil {
		return err
	}
	for _, line := range lines {
		fmt.Fprintln(s.Stdout, line)
	}
	if len(lines) > 0 {
		return &daemon.Exit{Status: exitPlanned}
	}
	return nil
}

// planned asks the daemon, which has the results of its checks.
func (s *session) planned() ([]string, error) {
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
	if !errors.Is(err, client.ErrNotRunning) {
		if _, bad := conf.Load(s.Path, daemon.Harmless(s.Dirs.ConfigOptions())); s.Found && bad != nil {
			return nil, &daemon.Exit{Status: exitConfig, Text: daemon.Diagnosis(bad)}
		}
		return nil, err
	}
	if err := s.find(); err != nil {
		return nil, &daemon.Exit{Status: exitFailed, Text: err.Error()}
	}
	cfg, err := conf.Load(s.Path, daemon.Harmless(s.Dirs.ConfigOptions()))
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: daemon.Diagnosis(err)}
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
