package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// A query is a connection of a command to the daemon of its instance, or to a dry run.
type query struct {
	*client.Client
	s      *session
	dryRun bool // it goes to a dry run
}

// orderer is a query that gives orders, to the daemon unless --dry-run chooses the dry
// run.
func (s *session) orderer() *query {
	if s.inv.dryRun {
		return s.queryAt(s.DryRunSocket(), true)
	}
	return s.queryAt(s.runningSocket(), false)
}

// runningSocket is the socket of the running daemon of the configuration file.
func (s *session) runningSocket() string {
	s.file() // under whatever name it was started
	return s.RunningSocket()
}

// queryAt is a query at a socket, of the session's configuration file.
func (s *session) queryAt(socket string, dryRun bool) *query {
	return &query{Client: client.New(socket).Of(s.file()), s: s, dryRun: dryRun}
}

// file is the configuration file, "" if there is none: then the name alone identifies the
// daemon.
func (s *session) file() string {
	if !s.Found && s.find() != nil {
		return ""
	}
	return state.Canonical(s.Path)
}

// reader is a query that only reads. It goes to the daemon, or to the dry run if there is
// no daemon or --dry-run chooses it. Standard error gets which of them is shown and
// which else runs.
func (s *session) reader() *query {
	if s.inv.dryRun {
		return s.orderer()
	}
	socket := s.runningSocket()
	runs, dry := listens(s, socket), listens(s, s.DryRunSocket())
	switch {
	case runs && dry:
		fmt.Fprintf(s.Stderr, "shown is the daemon; a dry run is running, too: ldirectord --dry-run %s\n", strings.Join(s.inv.words, " "))
	case !runs && dry:
		fmt.Fprintf(s.Stderr, "shown is a dry run; the daemon is not running%s\n", perlWords(s))
		return s.queryAt(s.DryRunSocket(), true)
	}
	return s.queryAt(socket, false)
}

// ownTime bounds the question which file a process is of.
const ownTime = time.Second

// listens reports whether the daemon or the dry run of the configuration file listens at a
// socket. That of another file with the same name does not count.
func listens(s *session, socket string) bool {
	if !daemon.Listens(socket) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), ownTime)
	defer cancel()
	q := s.queryAt(socket, false)
	defer q.Close()
	_, err := q.History(ctx, report.HistoryQuery{Limit: 1})
	return !errors.Is(err, client.ErrNotRunning)
}

// perlWords report that the Perl program runs for the configuration file, under whatever name
// of it, "" if it does not.
func perlWords(s *session) string {
	if d, ok := s.Running(); ok && !d.KeepsLock() && isPerl(d.PID) {
		return fmt.Sprintf("; pid %d is the Perl ldirectord, which is not this program and cannot be asked", d.PID)
	}
	return ""
}

// isPerl reports whether a process is a Perl program, by its command line.
func isPerl(pid int) bool {
	words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	program, _, _ := strings.Cut(string(words), "\x00")
	return err == nil && strings.HasPrefix(filepath.Base(program), "perl")
}

// notAnswered is the error of a command whose request was not answered.
func (q *query) notAnswered(err error) error {
	if !errors.Is(err, client.ErrNotRunning) {
		return err
	}
	s := q.s
	what, besides := "", perlWords(s)
	switch {
	case s.inv.dryRun:
		what, besides = "a dry run of ", ""
	case listens(s, s.DryRunSocket()):
		besides += "; a dry run is running, which takes no orders and serves no address"
	case strings.HasSuffix(err.Error(), client.ErrNotRunning.Error()): // else it names the other one
		besides += othersWords(s.OtherFiles())
	}
	return &daemon.Exit{Status: exitStopped, Text: fmt.Sprintf("%sldirectord %s is not running: %v%s", what, s.Name, err, besides)}
}

// othersWords name daemons of other configuration files, which may be meant.
func othersWords(files []string) string {
	const most = 5
	switch n := len(files); {
	case n == 0:
		return ""
	case n == 1:
		return "; the daemon of " + files[0] + " is running"
	case n > most:
		return fmt.Sprintf("; %d daemons of other files are running", n)
	}
	return "; the daemons of " + strings.Join(files, ", ") + " are running"
}

// headDryRun prints the first line of a text about a dry run.
func (q *query) headDryRun() {
	if q.dryRun {
		fmt.Fprintln(q.s.Stdout, words.DryRun)
	}
}
