package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/ipvs"
)

// askTime bounds a request to the daemon, which may hang. planTime bounds a request that
// reads the configuration and resolves its names.
const (
	askTime  = 5 * time.Second
	planTime = 30 * time.Second
)

// showOptions are what may follow show.
type showOptions struct {
	virtual, real                               string
	json, stats, rate, connections, persistence bool
	all                                         bool
}

// showCommand shows the table with the state of every real server.
func showCommand(flags *pflag.FlagSet) action {
	var o showOptions
	flags.StringVar(&o.virtual, "virtual", "", "V\tonly this virtual service: 10.0.0.1:80, tcp:10.0.0.1:80, 10.0.0.1, a firewall mark, its servicename, or as the file has it")
	flags.StringVar(&o.real, "real", "", "R\tonly this real server: its address, address and port, or name")
	flags.BoolVar(&o.json, "json", false, "everything that is known, as JSON")
	flags.BoolVar(&o.stats, "stats", false, "the kernel's counters, as ipvsadm --stats")
	flags.BoolVar(&o.rate, "rate", false, "its rates, as ipvsadm --rate")
	flags.BoolVar(&o.connections, "connections", false, "the kernel's connections, as ipvsadm -c")
	flags.BoolVar(&o.persistence, "persistent", false, "only which clients are remembered for which real server")
	flags.BoolVar(&o.all, "all", false, "the states of "+allHelp+" side by side, and where they disagree")
	return func(s *session, _ []string) error {
		if err := exclusive(flags, "all", "stats", "rate", "connections", "persistent"); err != nil {
			return err
		}
		if err := exclusive(flags, "json", "stats", "rate"); err != nil {
			return err
		}
		if o.all {
			return answerJSON(s, o.json, showAll(s, o))
		}
		return answerJSON(s, o.json && !o.connections && !o.persistence, s.show(o))
	}
}

func (s *session) show(o showOptions) error {
	r := s.reader()
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	switch {
	case o.connections || o.persistence:
		return r.showConnections(o)
	case o.json:
		return r.showJSON(ctx, o)
	}
	snap, err := r.Snapshot(ctx, o.virtual, o.real)
	if err != nil {
		return r.notAnswered(err)
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

func (q *query) showJSON(ctx context.Context, o showOptions) error {
	text, err := q.SnapshotJSON(ctx, o.virtual, o.real)
	if err != nil {
		return q.notAnswered(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(documentTo(q.s.Stdout))
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

// showConnections lists connections until the end of the list or until the daemon hangs.
func (q *query) showConnections(o showOptions) error {
	ctx, cancel := q.whileItWorks()
	defer cancel()
	list := q.listConnections
	if o.json {
		list = q.listConnectionsJSON
	}
	err := list(q.Client.Connections(ctx, o.virtual, o.real, o.persistence, 1<<30))
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// whileItWorks is a context that is cancelled when the daemon hangs, which is tested every
// askTime. A dry run has no heartbeat and one askTime.
func (q *query) whileItWorks() (ctx context.Context, cancel func()) {
	ctx, cancelFor := context.WithCancelCause(context.Background())
	go func() {
		tick := time.NewTicker(askTime)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if q.dryRun || q.s.Hangs() {
					cancelFor(errors.New("asking the daemon: it does not respond"))
				}
			}
		}
	}()
	return ctx, func() { cancelFor(nil) }
}

func (q *query) listConnections(list iter.Seq2[wire.Connection, error]) error {
	fmt.Fprintln(q.s.Stdout, view.ConnectionsHead)
	for conn, err := range list {
		if err != nil {
			return q.notAnswered(err)
		}
		fmt.Fprintln(q.s.Stdout, view.ConnectionLine(conn))
	}
	return nil
}

// listConnectionsJSON prints connections as one JSON list while it receives them: there
// may be millions. After an error the list has no end.
func (q *query) listConnectionsJSON(list iter.Seq2[wire.Connection, error]) error {
	before := "["
	for conn, err := range list {
		if err != nil {
			return q.notAnswered(err)
		}
		text, err := json.Marshal(conn)
		if err != nil {
			return err
		}
		fmt.Fprintf(q.s.Stdout, "%s\n  %s", before, text)
		before = ","
	}
	fmt.Fprintln(q.s.Stdout, map[bool]string{true: "[]", false: "\n]"}[before == "["])
	return nil
}

// kernelLine is the first line of ipvsadm, "" if there is no IPVS.
func kernelLine(ctx context.Context) string {
	if v, err := ipvs.ReadVersion(ctx); err == nil {
		return v.String()
	}
	text, err := os.ReadFile("/proc/net/ip_vs") // readable without root
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// historyCommand shows the last transitions.
func historyCommand(flags *pflag.FlagSet) action {
	q := report.HistoryQuery{}
	flags.StringVar(&q.Virtual, "virtual", "", "V\tonly this virtual service")
	events := flags.Bool("events", false, "all events, not only those of real servers that were gone and back")
	all := flags.Bool("all", false, "that of "+allHelp+", in the order of time")
	flags.IntVarP(&q.Limit, "limit", "n", 50, "N\tthe last N; 50 if not given")
	following := flags.BoolP("follow", "f", false, "then new ones as they happen, until Control-C; it waits for a daemon that is restarted")
	asJSON := flags.Bool("json", false, jsonHelp+"; with --follow an object a line")
	return func(s *session, names []string) error {
		q.Real, q.Verdicts = strings.Join(names, ""), !*events
		if err := exclusive(flags, "all", "follow"); err != nil {
			return err
		}
		if *all {
			return answerJSON(s, *asJSON, historyAll(s, q, *asJSON))
		}
		s.jsonLines = *following
		if *following {
			return answerJSON(s, *asJSON, follow(s, q, *asJSON))
		}
		return answerJSON(s, *asJSON, s.history(q, *asJSON))
	}
}

// printAnswer prints the answer of the daemon to a request, as JSON or by write.
func printAnswer[T any](s *session, asJSON bool, ask func(context.Context, *query) (T, error), write func(io.Writer, T) error) error {
	r := s.reader()
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	answer, err := ask(ctx, r)
	if err != nil {
		return r.notAnswered(err)
	}
	if asJSON {
		return printJSON(s.Stdout, answer)
	}
	r.headDryRun()
	return write(s.Stdout, answer)
}

func (s *session) history(q report.HistoryQuery, asJSON bool) error {
	ask := func(ctx context.Context, r *query) ([]report.Note, error) { return r.History(ctx, q) }
	return printAnswer(s, asJSON, ask, view.WriteNotes)
}

// whyCommand shows the last checks of a real server, and their results.
func whyCommand(flags *pflag.FlagSet) action {
	virtual := flags.String("virtual", "", "V\tonly this virtual service")
	asJSON := flags.Bool("json", false, jsonHelp)
	return func(s *session, names []string) error {
		return answerJSON(s, *asJSON, s.why(names[0], *virtual, *asJSON))
	}
}

func (s *session) why(real, virtual string, asJSON bool) error {
	ask := func(ctx context.Context, r *query) ([]report.Reason, error) { return r.Why(ctx, real, virtual) }
	return printAnswer(s, asJSON, ask, view.WriteReasons)
}

// recheckCommand has real servers checked now.
func recheckCommand(flags *pflag.FlagSet) action {
	virtual := flags.String("virtual", "", "V\tonly for this virtual service")
	return func(s *session, names []string) error {
		o := s.orderer()
		defer o.Close()
		ctx, cancel := context.WithTimeout(context.Background(), askTime)
		defer cancel()
		became, err := o.Recheck(ctx, strings.Join(names, ""), *virtual)
		if err != nil {
			return o.notAnswered(err)
		}
		fmt.Fprintln(s.Stdout, became)
		return nil
	}
}
