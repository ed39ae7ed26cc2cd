package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
)

// The commands that give the running daemon an order; see report.Order.

func (s *session) drain() error   { return s.order(report.Drain) }
func (s *session) disable() error { return s.order(report.Disable) }
func (s *session) enable() error  { return s.order(report.Enable) }
func (s *session) weight() error  { return s.order(report.Weight) }

// forEver is the value of --wait without a time.
const forEver = 365 * 24 * time.Hour

// order gives an order and says what came of it.
func (s *session) order(verb string) error {
	o := report.Order{Verb: verb}
	var wait time.Duration
	flags := commandFlags()
	flags.StringVar(&o.Virtual, "virtual", "", "")
	if verb != report.Enable {
		flags.DurationVar(&o.For, "for", 0, "")
	}
	flags.StringVar(&o.Comment, "comment", "", "")
	if verb == report.Drain {
		flags.DurationVar(&wait, "wait", 0, "")
		flags.Lookup("wait").NoOptDefVal = forEver.String()
	}
	n := 1
	if verb == report.Weight {
		n = 2
	}
	words, err := s.words(flags, n, n)
	if err != nil {
		return err
	}
	o.Real = words[0]
	if verb == report.Weight {
		if o.Weight, err = strconv.Atoi(words[1]); err != nil {
			return &daemon.Exit{Status: exitUsage, Text: fmt.Sprintf("%q is no weight", words[1])}
		}
	}
	c := s.client()
	defer c.Close()
	obeyed, err := s.give(c, o)
	if err != nil {
		return err
	}
	if wait > 0 {
		return s.waitUntilIdle(c, obeyed, wait)
	}
	return nil
}

// give gives an order, and returns for which real servers it was carried out.
func (s *session) give(c *client.Client, o report.Order) ([]report.Override, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	answer, err := c.Order(ctx, o)
	if err != nil {
		return nil, s.notAnswered(err)
	}
	for _, done := range answer.Obeyed {
		fmt.Fprintf(s.Stdout, "%s (%s): %s\n", done.Real, done.Virtual, done)
		if done.Remark != "" {
			fmt.Fprintf(s.Stderr, "%s (%s): %s\n", done.Real, done.Virtual, done.Remark)
		}
	}
	if answer.Warning != "" {
		fmt.Fprintln(s.Stderr, "warning: "+answer.Warning)
	}
	if o.Verb == report.Drain {
		left, err := connectionsLeft(ctx, c, answer.Obeyed)
		if err != nil {
			return nil, s.notAnswered(err)
		}
		fmt.Fprintln(s.Stdout, left)
	}
	return answer.Obeyed, nil
}

// A remainder is what a real server that is drained still has.
type remainder struct{ active, inactive, persistent uint32 }

func (r remainder) String() string {
	return fmt.Sprintf("left: %d active, %d inactive connections, %d clients remembered", r.active, r.inactive, r.persistent)
}

// connectionsLeft is what real servers still have together.
func connectionsLeft(ctx context.Context, c *client.Client, obeyed []report.Override) (remainder, error) {
	var left remainder
	for _, o := range obeyed {
		snap, err := c.Snapshot(ctx, o.Virtual, o.Real)
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

// waitUntilIdle returns when a drained real server has nothing left, and says
// how it goes. It fails when that takes too long.
func (s *session) waitUntilIdle(c *client.Client, obeyed []report.Override, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	last := remainder{}
	for first := true; ; first = false {
		left, err := connectionsLeft(ctx, c, obeyed)
		switch {
		case ctx.Err() != nil:
			return &daemon.Exit{Status: exitFailed, Text: "not idle after " + patience.String() + ", " + last.String()}
		case err != nil:
			return s.notAnswered(err)
		case left == remainder{}:
			fmt.Fprintln(s.Stdout, "idle")
			return nil
		case !first && left != last:
			fmt.Fprintln(s.Stdout, left)
		}
		last = left
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
