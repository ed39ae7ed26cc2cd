package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
)

const (
	// followPause bounds how often history --follow asks: many events at once are one request.
	followPause = 100 * time.Millisecond
	// reconnectPause is the time between two tries to reach a daemon that has ended.
	reconnectPause = time.Second
	// followLimit is how many notes one request of history --follow may return.
	followLimit = 1000
)

// A follower prints the history as it grows.
type follower struct {
	query  *query
	choice report.HistoryQuery
	print  func([]report.Note) error
	lost   bool // the daemon, which has been reported
}

// follow prints the last notes of the history, then new ones as they happen, until a signal
// ends it. It outlives the daemon: it waits for the next one.
func follow(s *session, choice report.HistoryQuery, asJSON bool) error {
	f := &follower{query: s.reader(), choice: choice, print: func(notes []report.Note) error { return view.WriteNotes(s.Stdout, notes) }}
	defer func() { f.query.Close() }()
	if asJSON {
		f.print = func(notes []report.Note) error { return printLines(s.Stdout, notes) }
	}
	signals, stop := s.Signals()
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go cancelAtSignal(ctx, cancel, signals)
	err := f.begin(ctx, asJSON)
	for err == nil && ctx.Err() == nil {
		err = f.listen(ctx)
	}
	if ctx.Err() != nil || errors.Is(err, unix.EPIPE) { // the reader has ended, as head does
		return nil
	}
	return err
}

// cancelAtSignal cancels a context when a signal ends the program.
func cancelAtSignal(ctx context.Context, cancel func(), signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case sig := <-signals:
			if daemon.Stops(sig) || sig == unix.SIGHUP { // the terminal is closed
				cancel()
			}
		}
	}
}

func printLines(w io.Writer, notes []report.Note) error {
	for _, n := range notes {
		if err := printLine(w, n); err != nil {
			return err
		}
	}
	return nil
}

// begin prints the last notes.
func (f *follower) begin(ctx context.Context, asJSON bool) error {
	notes, err := f.history(ctx)
	if err != nil {
		return f.query.notAnswered(err)
	}
	if !asJSON {
		f.query.headDryRun()
	}
	f.choice.Limit = followLimit
	return f.show(notes)
}

func (f *follower) history(ctx context.Context) ([]report.Note, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return f.query.History(ctx, f.choice)
}

// show prints notes, and remembers the last.
func (f *follower) show(notes []report.Note) error {
	for _, n := range notes {
		f.choice.After = max(f.choice.After, n.Seq)
	}
	return f.print(notes)
}

// listen prints new notes until the daemon ends, or waits for one if there is none. Its
// errors are those of the output.
func (f *follower) listen(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	news, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		_ = f.query.Listen(ctx, func() { // its end is what counts
			select {
			case news <- struct{}{}:
			default:
			}
		})
	}()
	defer func() { cancel(); <-ended }()
	for {
		select {
		case <-news:
			if f.lost {
				f.lost = false
				f.renumber(ctx)
			}
			if err := f.catchUp(ctx); err != nil {
				return err
			}
			f.wait(ctx, followPause)
		case <-ended:
			if ctx.Err() != nil {
				return nil
			}
			err := f.catchUp(ctx) // there may be a daemon, whose streams are all taken
			f.reconnect(ctx)
			return err
		}
	}
}

// catchUp prints the notes since the last one. A daemon that does not answer is no error: its
// stream ends, too.
func (f *follower) catchUp(ctx context.Context) error {
	for {
		notes, err := f.history(ctx)
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		if err := f.show(notes); err != nil || len(notes) < followLimit {
			return err
		}
	}
}

// reconnect looks for the daemon again, after a pause: another process may have another
// socket.
func (f *follower) reconnect(ctx context.Context) {
	s := f.query.s
	if !f.lost {
		fmt.Fprintln(s.Stderr, "the daemon has ended or does not answer: history goes on when it is back")
		f.lost = true
	}
	f.wait(ctx, reconnectPause)
	if !f.query.dryRun {
		f.query.Close()
		f.query = s.queryAt(s.runningSocket(), false)
	}
}

// renumber begins anew if the numbers of notes do: the daemon has lost the history of the one
// before, so that all that it has is new.
func (f *follower) renumber(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	newest, err := f.query.History(ctx, report.HistoryQuery{Limit: 1})
	if err == nil && len(newest) > 0 && newest[0].Seq < f.choice.After {
		f.choice.After = 0
	}
}

func (f *follower) wait(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}
