package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/ipvs"
)

// askTime is how long a request to the daemon may take: one that hangs does not answer.
// planTime is for a request that reads the configuration, and resolves its names.
const (
	askTime  = 5 * time.Second
	planTime = 30 * time.Second
)

// client is for asking the daemon of this instance, and giving it orders.
func (s *session) client() *client.Client {
	if s.inv.dryRun {
		return client.New(s.DryRunSocket()).Of(s.file())
	}
	return client.New(s.Socket()).Of(s.file())
}

// file is the configuration file, "" if there is none: then the name alone counts.
func (s *session) file() string {
	if !s.Found && s.find() != nil {
		return ""
	}
	return state.Canonical(s.Path)
}

// reader is for asking what this instance knows, a daemon or a dry run.
func (s *session) reader() *client.Client { return client.New(s.shownSocket()).Of(s.file()) }

// commandFlags are options that may stand before and after a command's words.
func commandFlags() *pflag.FlagSet {
	flags := newFlags()
	flags.SetInterspersed(true)
	return flags
}

// words parses a command's options and returns its other words, of which there
// may be least to most.
func (s *session) words(flags *pflag.FlagSet, least, most int) ([]string, error) {
	if err := parseOptions(flags, s.inv.args); err != nil {
		return nil, err
	}
	if n := flags.NArg(); n < least || n > most {
		return nil, &daemon.Exit{Status: exitUsage, Text: "usage: ldirectord [CONFIG] " + strings.TrimSpace(s.inv.verb.name+" "+s.inv.verb.arguments)}
	}
	return flags.Args(), nil
}

// showOptions are what may follow show.
type showOptions struct {
	virtual, real                               string
	json, stats, rate, connections, persistence bool
}

// show shows the table with how everybody does.
func (s *session) show() error {
	var o showOptions
	flags := commandFlags()
	flags.StringVar(&o.virtual, "virtual", "", "")
	flags.StringVar(&o.real, "real", "", "")
	flags.BoolVar(&o.json, "json", false, "")
	flags.BoolVar(&o.stats, "stats", false, "")
	flags.BoolVar(&o.rate, "rate", false, "")
	flags.BoolVar(&o.connections, "connections", false, "")
	flags.BoolVar(&o.persistence, "persistent", false, "")
	if _, err := s.words(flags, 0, 0); err != nil {
		return err
	}
	if err := exclusive(flags, "stats", "rate", "connections", "persistent"); err != nil {
		return err
	}
	if err := exclusive(flags, "json", "stats", "rate"); err != nil {
		return err
	}
	c := s.reader()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	switch {
	case o.connections || o.persistence:
		return s.showConnections(c, o)
	case o.json:
		return s.showJSON(ctx, c, o)
	}
	snap, err := c.Snapshot(ctx, o.virtual, o.real)
	if err != nil {
		return s.notAnswered(err)
	}
	if line := kernelLine(ctx); line != "" && !snap.DryRun {
		fmt.Fprintln(s.Stdout, line)
	}
	write := view.WriteTable
	switch {
	case o.stats:
		write = view.WriteStats
	case o.rate:
		write = view.WriteRate
	}
	return write(s.Stdout, snap)
}

func (s *session) showJSON(ctx context.Context, c *client.Client, o showOptions) error {
	text, err := c.SnapshotJSON(ctx, o.virtual, o.real)
	if err != nil {
		return s.notAnswered(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(s.Stdout)
	return err
}

// exclusive fails if more than one of some options was given.
func exclusive(flags *pflag.FlagSet, names ...string) error {
	given := slices.DeleteFunc(names, func(name string) bool { return !flags.Changed(name) })
	if len(given) > 1 {
		return usageError("--" + strings.Join(given, " and --") + " cannot be combined")
	}
	return nil
}

// showConnections lists connections for as long as they come from a daemon that works.
func (s *session) showConnections(c *client.Client, o showOptions) error {
	ctx, cancel := s.whileItWorks()
	defer cancel()
	list := s.listConnections
	if o.json {
		list = s.listConnectionsJSON
	}
	err := list(c.Connections(ctx, o.virtual, o.real, o.persistence, 1<<30))
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// whileItWorks is a context that is cancelled when the daemon hangs, which is looked at
// every askTime. A dry run has no heartbeat and one askTime.
func (s *session) whileItWorks() (ctx context.Context, cancel func()) {
	ctx, cancelFor := context.WithCancelCause(context.Background())
	go func() {
		tick := time.NewTicker(askTime)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s.showsDryRun || s.Hangs() {
					cancelFor(errors.New("asking the daemon: it does not respond"))
				}
			}
		}
	}()
	return ctx, func() { cancelFor(nil) }
}

func (s *session) listConnections(list iter.Seq2[wire.Connection, error]) error {
	fmt.Fprintln(s.Stdout, view.ConnectionsHead)
	for conn, err := range list {
		if err != nil {
			return s.notAnswered(err)
		}
		fmt.Fprintln(s.Stdout, view.ConnectionLine(conn))
	}
	return nil
}

// listConnectionsJSON shows connections as one JSON list, as they come: there may be
// millions. A list that is cut off by an error has no end.
func (s *session) listConnectionsJSON(list iter.Seq2[wire.Connection, error]) error {
	before := "["
	for conn, err := range list {
		if err != nil {
			return s.notAnswered(err)
		}
		text, err := json.Marshal(conn)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Stdout, "%s\n  %s", before, text)
		before = ","
	}
	fmt.Fprintln(s.Stdout, map[bool]string{true: "[]", false: "\n]"}[before == "["])
	return nil
}

// kernelLine is the first line of ipvsadm, "" if there is no IPVS.
func kernelLine(ctx context.Context) string {
	if v, err := ipvs.ReadVersion(ctx); err == nil {
		return v.String()
	}
	text, err := os.ReadFile("/proc/net/ip_vs") // for those who are not root
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// history shows what happened last.
func (s *session) history() error {
	q := report.HistoryQuery{}
	flags := commandFlags()
	flags.StringVar(&q.Virtual, "virtual", "", "")
	flags.IntVar(&q.Limit, "limit", 50, "")
	all := flags.Bool("all", false, "")
	asJSON := flags.Bool("json", false, "")
	words, err := s.words(flags, 0, 1)
	if err != nil {
		return err
	}
	if q.Limit < 1 {
		return usageError("--limit is a number above 0")
	}
	q.Real, q.Verdicts = strings.Join(words, ""), !*all
	c := s.reader()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	notes, err := c.History(ctx, q)
	if err != nil {
		return s.notAnswered(err)
	}
	if *asJSON {
		return s.printJSON(notes)
	}
	s.headDryRun()
	return view.WriteNotes(s.Stdout, notes)
}

// why shows what was asked of a real server last, and what came of it.
func (s *session) why() error {
	flags := commandFlags()
	virtual := flags.String("virtual", "", "")
	asJSON := flags.Bool("json", false, "")
	words, err := s.words(flags, 1, 1)
	if err != nil {
		return err
	}
	c := s.reader()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	reasons, err := c.Why(ctx, words[0], *virtual)
	if err != nil {
		return s.notAnswered(err)
	}
	if *asJSON {
		return s.printJSON(reasons)
	}
	s.headDryRun()
	return view.WriteReasons(s.Stdout, reasons)
}

func (s *session) printJSON(v any) error {
	e := json.NewEncoder(s.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// recheck has real servers asked now.
func (s *session) recheck() error {
	flags := commandFlags()
	virtual := flags.String("virtual", "", "")
	words, err := s.words(flags, 0, 1)
	if err != nil {
		return err
	}
	c := s.client()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	n, err := c.Recheck(ctx, strings.Join(words, ""), *virtual)
	if err != nil {
		return s.notAnswered(err)
	}
	fmt.Fprintf(s.Stdout, "%s begun\n", plural(n, "check"))
	return nil
}
