package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/ipvs"
)

// exitPlanned is the status of a plan that would change something.
const exitPlanned = 3

// plan says what a reload, or a start if no daemon runs, would change in the
// kernel.
func (s *session) plan() error {
	if _, err := s.words(commandFlags(), 0, 0); err != nil {
		return err
	}
	lines, err := s.planned()
	if err != nil {
		return err
	}
	for _, line := range lines {
		fmt.Fprintln(s.Stdout, line)
	}
	if len(lines) > 0 {
		return &exit{status: exitPlanned}
	}
	return nil
}

// planned asks the daemon, who knows what the checks have found out.
func (s *session) planned() ([]string, error) {
	c := s.client()
	defer c.Close()
	limit := planTime
	if _ = s.find(); s.hangs() {
		limit = askTime
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	lines, err := c.Plan(ctx)
	if err == nil || !errors.Is(err, status.ErrNotRunning) {
		return lines, err
	}
	if err := s.find(); err != nil {
		return nil, &exit{status: exitFailed, stderr: err.Error()}
	}
	cfg, err := conf.Load(s.path, harmless(s.dirs.configOptions()))
	if err != nil {
		return nil, &exit{status: exitConfig, stderr: diagnosis(err)}
	}
	table, err := s.OpenTable(ctx)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	overrides, _, err := status.ReadOverrides(s.overridesFile())
	if err != nil {
		return nil, err
	}
	ours, err := s.memory().Recall(state.Canonical(s.path))
	if err != nil {
		return nil, err
	}
	changes, err := director.PlanStart(table, cfg, overrides, ours)
	return changeLines(changes), err
}

// save writes the kernel's table as ipvsadm-save does.
func (s *session) save() error {
	if _, err := s.words(commandFlags(), 0, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
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
