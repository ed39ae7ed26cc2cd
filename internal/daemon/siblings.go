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

// Time limits for a command that is given to a sibling, and for waiting for all
// of them when the daemon stops.
const (
	siblingTimeout = startPatience + stopPatience
	partingTimeout = stopPatience - time.Second
)

// siblings are the daemons that run beside this one (execute = FILE), each
// started, reloaded and stopped by running this program. The methods do not
// wait; commands are run in the order in which they were given, those of one
// call at once.
type siblings struct {
	log  func(format string, args ...any)
	ctx  context.Context
	exec func(ctx context.Context, file, verb string) error // runs one command

	used  bool // once
	files []string
	last  *sync.WaitGroup // the commands that were given last
}

// newSiblings returns siblings that are run with options.
func newSiblings(ctx context.Context, options []string, log func(string, ...any)) *siblings {
	return &siblings{log: log, ctx: ctx, exec: runSelf(options), last: new(sync.WaitGroup)}
}

// use makes files the siblings: new ones are started, those that are not named
// any more stopped, the others reloaded. The first call restarts those that an
// earlier daemon has left running, which changes no table.
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

// give has each file's command run, after those that were given before.
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

// wait waits for all commands that were given, with patience.
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

// runSelf runs this program with options, what execute says and a command. As in the
// original a shell reads the line, so that quotes are not a part of the name.
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
