package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// forEver is the value of --wait without a time.
const forEver = 365 * 24 * time.Hour

// weightRange is the cure for a wrong weight.
var weightRange = fmt.Sprintf("a weight is a whole number from 0 to %d, or 0%% to %d%% of the file's", report.MaxWeight, report.MaxPercent)

// orderCommand gives an order and prints its result.
func orderCommand(verb string) func(*pflag.FlagSet) action {
	return func(flags *pflag.FlagSet) action {
		o := report.Order{Verb: verb}
		var wait time.Duration
		flags.StringVar(&o.Virtual, "virtual", "", "V\tonly for this virtual service")
		if verb != report.Enable {
			flags.DurationVar(&o.For, "for", 0, "TIME\tits duration: 90s, 30m, 12h")
		}
		flags.StringVar(&o.Comment, "comment", "", "TEXT\tthe reason, for other operators")
		all := allOptions(flags)
		if verb == report.Drain {
			flags.DurationVar(&wait, "wait", 0, "TIME\treturn when no connection is left, or fail after TIME")
			flags.Lookup("wait").NoOptDefVal = forEver.String()
		}
		return func(s *session, arguments []string) error {
			o.Real = arguments[0]
			if verb == report.Weight {
				var ok bool
				if o.Weight, o.Percent, ok = report.ParseWeight(arguments[1]); !ok {
					return usageError(fmt.Sprintf("%q is no weight: %s", arguments[1], weightRange))
				}
				if o.Weight < 0 || o.Weight > report.MaxWeight || o.Percent < 0 || o.Percent > report.MaxPercent {
					return usageError(fmt.Sprintf("the weight is %s, and %s", arguments[1], weightRange))
				}
			}
			if o.For > wire.Longest {
				return usageError(fmt.Sprintf("--for is %s, and an order with an end lasts at most %.0fh: leave it out for one that lasts until enable", o.For, wire.Longest.Hours()))
			}
			if all.wanted() {
				return all.order(s, o)
			}
			q := s.orderer()
			defer q.Close()
			obeyed, err := q.give(o)
			if err != nil || wait == 0 {
				return err
			}
			return q.waitUntilIdle(obeyed, wait)
		}
	}
}

// addressCommand gives an order for virtual addresses.
func addressCommand(verb string) func(*pflag.FlagSet) action {
	return func(flags *pflag.FlagSet) action {
		o := report.Order{Verb: verb}
		if verb == report.Withdraw {
			flags.DurationVar(&o.For, "for", 0, "TIME\tits duration: 90s, 30m, 12h")
		}
		flags.StringVar(&o.Comment, "comment", "", "TEXT\tthe reason, for other operators")
		all := allOptions(flags)
		return func(s *session, arguments []string) error {
			o.Virtual = strings.Join(arguments, "")
			if o.For < 0 || o.For > wire.Longest {
				return usageError(fmt.Sprintf("--for is %s, and a withdrawal with an end lasts at most %.0fh: leave it out for one that lasts until announce", o.For, wire.Longest.Hours()))
			}
			if all.wanted() {
				return all.order(s, o)
			}
			q := s.orderer()
			defer q.Close()
			_, err := q.give(o)
			return err
		}
	}
}

// give gives an order, and returns the real servers that follow it.
func (q *query) give(o report.Order) ([]report.Override, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	answer, err := q.Order(ctx, o)
	if err != nil {
		return nil, q.notAnswered(err)
	}
	for _, done := range answer.Obeyed {
		if done.Real == "" {
			fmt.Fprintf(q.s.Stdout, "%s: %s\n", done.Virtual, done)
			continue
		}
		fmt.Fprintf(q.s.Stdout, "%s (%s): %s\n", done.Real, done.Virtual, done)
		if done.Remark != "" {
			fmt.Fprintf(q.s.Stderr, "%s (%s): %s\n", done.Real, done.Virtual, done.Remark)
		}
	}
	if answer.Warning != "" {
		fmt.Fprintln(q.s.Stderr, "warning: "+answer.Warning)
	}
	if o.Verb == report.Drain {
		left, err := q.connectionsLeft(ctx, answer.Obeyed)
		if err != nil {
			return nil, q.notAnswered(err)
		}
		fmt.Fprintln(q.s.Stdout, left)
	}
	return answer.Obeyed, nil
}

// A remainder is what a drained real server still has.
type remainder struct{ active, inactive, persistent uint32 }

func (r remainder) String() string {
	return fmt.Sprintf("left: %d active, %d inactive connections, %d clients remembered", r.active, r.inactive, r.persistent)
}

// connectionsLeft is the sum of the remainders of real servers.
func (q *query) connectionsLeft(ctx context.Context, obeyed []report.Override) (remainder, error) {
	var left remainder
	for _, o := range obeyed {
		snap, err := q.Snapshot(ctx, o.Virtual, o.Real)
		if err != nil {
			return left, err
		}
		for _, v := range snap.Virtuals {
			for _, r := range v.Reals {
				left.active += r.Active
				left.inactive += r.Inactive
				left.persistent += r.Persistent
			}
		}
	}
	return left, nil
}

// waitUntilIdle returns when drained real servers have nothing left, and prints each
// change. It fails after patience.
func (q *query) waitUntilIdle(obeyed []report.Override, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	last := remainder{}
	for first := true; ; first = false {
		left, err := q.connectionsLeft(ctx, obeyed)
		switch {
		case ctx.Err() != nil:
			return &daemon.Exit{Status: exitFailed, Text: "not idle after " + patience.String() + ", " + last.String()}
		case err != nil:
			return q.notAnswered(err)
		case left == remainder{}:
			fmt.Fprintln(q.s.Stdout, "idle")
			return nil
		case !first && left != last:
			fmt.Fprintln(q.s.Stdout, left)
		}
		last = left
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
