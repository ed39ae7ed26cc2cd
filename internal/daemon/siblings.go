package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/logfile"
)

// The limits of one command for a sibling, and of the wait for all of them when the
// daemon stops.
const (
	siblingTimeout = startPatience + stopPatience
	partingTimeout = stopPatience - time.Second
)

// siblings are the daemons that run beside this one (execute = FILE). This program starts,
// reloads and stops them by its own commands. The methods do not wait; the commands of one
// call run at once, after those of the calls before.
type siblings struct {
	log  func(format string, args ...any)
	ctx  context.Context
	exec func(ctx context.Context, file, verb string) error // runs one command

	used  bool // once
	files []string
	last  *sync.WaitGroup // the commands of the last call
}

// newSiblings returns siblings that are run with options.
func newSiblings(ctx context.Context, options []string, log func(string, ...any)) *siblings {
	return &siblings{log: log, ctx: ctx, exec: runSelf(options), last: new(sync.WaitGroup)}
}

// use makes files the siblings: it starts new ones, stops those that are not named any
// more, and reloads the others. The first call restarts those that an earlier daemon has
// left running, which changes no table.
func (s *siblings) use(files []string) {
	begin := "start"
	if !s.used {
		begin, s.used = "restart", true
	}
	old := s.files
	s.files = slices.Compact(slices.Sorted(slices.Values(files)))
	orders := map[string]string{}
	for _, file := range old {
		orders[file] = "stop"
	}
	for _, file := range s.files {
		orders[file] = begin
		if slices.Contains(old, file) {
			orders[file] = "reload"
		}
	}
	s.give(orders)
}

// give runs the command of each file, after the commands of earlier calls.
func (s *siblings) give(orders map[string]string) {
	before, now := s.last, new(sync.WaitGroup)
	s.last = now
	for file, verb := range orders {
		now.Go(func() {
			before.Wait()
			if err := s.exec(s.ctx, file, verb); err != nil {
				s.log(logfile.CommandFailed, "ldirectord "+file+" "+verb, err)
			}
		})
	}
	if len(orders) == 0 {
		s.last = before
	}
}

// wait waits for all commands, but not longer than partingTimeout.
func (s *siblings) wait() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.last.Wait()
	}()
	select {
	case <-done:
	case <-time.After(partingTimeout):
	}
}

// runSelf runs this program with options, the value of execute and a command. As in the
// original a shell reads the line, so quotes are no part of the name.
func runSelf(options []string) func(ctx context.Context, file, verb string) error {
	return func(ctx context.Context, file, verb string) error {
		path, err := executable()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, siblingTimeout)
		defer cancel()
		var line strings.Builder
		line.WriteString(shellWord(path))
		for _, option := range options {
			line.WriteString(" " + shellWord(option))
		}
		line.WriteString(" " + file + " " + verb)
		result, err := command.Run(ctx, command.Command{Shell: line.String()})
		if err != nil {
			return err
		}
		if err := result.Err(); err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(result.Output)))
		}
		return nil
	}
}

func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
