package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// shownSocket is where a command that only reads asks: the daemon, or the dry
// run if there is no daemon or --dry-run says so. What the user sees, and what
// runs besides, is printed on standard error.
func (s *session) shownSocket() string {
	if s.inv.dryRun {
		s.showsDryRun = true
		return s.DryRunSocket()
	}
	runs, dry := daemon.Listens(s.Socket()), daemon.Listens(s.DryRunSocket())
	switch {
	case runs && dry:
		fmt.Fprintf(s.Stderr, "shown is the daemon; a dry run is running, too: ldirectord --dry-run %s\n", s.commandLine())
	case !runs && dry:
		s.showsDryRun = true
		fmt.Fprintf(s.Stderr, "shown is a dry run; the daemon is not running%s\n", s.perlWords())
		return s.DryRunSocket()
	}
	return s.Socket()
}

// commandLine is the words of this command line behind the program's name.
func (s *session) commandLine() string { return strings.Join(s.inv.words, " ") }

// perlWords say that the Perl program is running, "" if it is not.
func (s *session) perlWords() string {
	for _, file := range s.PIDFiles() {
		if o, ok := state.OriginalOf(file); ok && isPerl(o.PID) {
			return fmt.Sprintf("; pid %d is the Perl ldirectord, which is not this program and cannot be asked", o.PID)
		}
	}
	return ""
}

// isPerl says whether a process is a Perl program, by the words it was started
// with.
func isPerl(pid int) bool {
	words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	program, _, _ := strings.Cut(string(words), "\x00")
	return err == nil && strings.HasPrefix(filepath.Base(program), "perl")
}

// notAnswered is why a command that asks the daemon could not do its work.
func (s *session) notAnswered(err error) error {
	if !errors.Is(err, client.ErrNotRunning) {
		return err
	}
	what, besides := "", s.perlWords()
	switch {
	case s.inv.dryRun:
		what, besides = "a dry run of ", ""
	case daemon.Listens(s.DryRunSocket()):
		besides += "; a dry run is running, which takes no orders"
	}
	return &daemon.Exit{Status: exitStopped, Text: fmt.Sprintf("%sldirectord %s is not running: %v%s", what, s.Name, err, besides)}
}

// headDryRun begins the text of a command that shows a dry run.
func (s *session) headDryRun() {
	if s.showsDryRun {
		fmt.Fprintln(s.Stdout, words.DryRun)
	}
}
