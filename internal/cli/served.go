package cli

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// servedTime bounds the question, which a daemon answers at once that works: keepalived asks
// each second.
const servedTime = 1500 * time.Millisecond

// servedCommand reports whether virtual addresses are served.
func servedCommand(*pflag.FlagSet) action {
	return func(s *session, arguments []string) error {
		text, served := s.served(arguments)
		if served {
			fmt.Fprintln(s.Stdout, text)
			return nil
		}
		return &daemon.Exit{Status: exitFailed, Text: text}
	}
}

// served returns the states as text, and whether all that are meant are served: never by a dry
// run, whose table no client meets.
func (s *session) served(arguments []string) (text string, served bool) {
	var vip netip.Addr
	if len(arguments) > 0 {
		var err error
		if vip, err = netip.ParseAddr(strings.Trim(arguments[0], "[]")); err != nil {
			return fmt.Sprintf("%q is no address", arguments[0]), false
		}
	}
	q := s.orderer()
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), servedTime)
	defer cancel()
	states, err := q.Served(ctx)
	if err != nil {
		return q.notAnswered(err).Error(), false
	}
	if vip.IsValid() {
		if states = report.AddressesCalled(states, vip); len(states) == 0 {
			return fmt.Sprintf("%s is no virtual address of the configuration", vip), false
		}
	}
	lines := make([]string, 0, len(states))
	for _, at := range states {
		lines = append(lines, words.Mark(q.dryRun)+at.String())
	}
	if len(states) == 0 {
		lines = append(lines, words.Mark(q.dryRun)+report.NoAddress)
	}
	return strings.Join(lines, "\n"), !q.dryRun && report.AllServed(states)
}
