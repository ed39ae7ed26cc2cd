package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// servedTime bounds the question, which a daemon answers at once that works: keepalived asks
// each second.
const servedTime = 1500 * time.Millisecond

// servedCommand reports whether virtual addresses are served.
func servedCommand(*pflag.FlagSet) action {
	return func(s *session, arguments []string) error {
		text, all, err := served(s, arguments)
		switch {
		case err != nil:
			return err
		case !all:
			return &daemon.Exit{Status: exitFailed, Text: text}
		}
		fmt.Fprintln(s.Stdout, text)
		return nil
	}
}

// served returns the states as text, and whether all that are meant are served: never by a dry
// run, whose table no client meets. The error is that of a daemon that does not run.
func served(s *session, arguments []string) (text string, all bool, err error) {
	var vip netip.Addr
	if len(arguments) > 0 {
		if vip, err = netip.ParseAddr(strings.Trim(arguments[0], "[]")); err != nil {
			return report.NotAnAddress(arguments[0]), false, nil
		}
	}
	q := s.orderer()
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), servedTime)
	defer cancel()
	states, err := q.Served(ctx)
	switch {
	case errors.Is(err, client.ErrNotRunning):
		return "", false, q.notAnswered(err)
	case err != nil:
		return err.Error(), false, nil
	}
	if vip.IsValid() {
		if states = report.AddressesCalled(states, vip); len(states) == 0 {
			return report.NoSuchAddress(vip.String()).Error(), false, nil
		}
	}
	lines := make([]string, 0, len(states))
	for _, at := range states {
		lines = append(lines, words.Mark(q.dryRun)+at.String())
	}
	if len(states) == 0 {
		lines = append(lines, words.Mark(q.dryRun)+report.NoAddress)
	}
	return strings.Join(lines, "\n"), !q.dryRun && report.AllServed(states), nil
}
