package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status"
)

// dryRunSockets are where a dry run of this instance may listen, its own place first.
// The socket can be read and takes no orders. No configuration file has a name that makes
// it the socket of a daemon. A normal user has a directory for sockets of their own.
func (s *session) dryRunSockets() []string {
	usual := filepath.Join(s.dirs.run, s.name()+".dry-run")
	if os.Geteuid() == 0 || s.dirs.run != s.dirs.usualRun {
		return []string{usual}
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return []string{filepath.Join(dir, "ldirectord", s.name()+".dry-run"), usual}
	}
	if dir := ownTempDir(); dir != "" {
		return []string{filepath.Join(dir, s.name()+".dry-run"), usual}
	}
	return []string{usual}
}

// ownTempDir is a directory below /tmp that only this user can use, made if it is missing.
// It is "" if another user was there first.
func ownTempDir() string {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("ldirectord-%d", os.Geteuid()))
	_ = os.Mkdir(dir, 0o700)
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return ""
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return ""
	}
	return dir
}

// dryRunSocket is where the dry run listens, or would.
func (s *session) dryRunSocket() string {
	sockets := s.dryRunSockets()
	if i := slices.IndexFunc(sockets, listens); i >= 0 {
		return sockets[i]
	}
	return sockets[0]
}

// shownSocket is where a command that only reads asks: the daemon, or the dry
// run if there is no daemon or --dry-run says so. What the user sees, and what
// runs besides, is printed on standard error.
func (s *session) shownSocket() string {
	if s.inv.dryRun {
		s.showsDryRun = true
		return s.dryRunSocket()
	}
	daemon, dry := listens(s.socket()), listens(s.dryRunSocket())
	switch {
	case daemon && dry:
		fmt.Fprintf(s.Stderr, "shown is the daemon; a dry run is running, too: ldirectord --dry-run %s\n", s.commandLine())
	case !daemon && dry:
		s.showsDryRun = true
		fmt.Fprintf(s.Stderr, "shown is a dry run; the daemon is not running%s\n", s.perlWords())
		return s.dryRunSocket()
	}
	return s.socket()
}

// commandLine is the words of this command line behind the program's name.
func (s *session) commandLine() string { return strings.Join(s.inv.words, " ") }

// listenTime bounds how long a socket may take to accept a connection.
const listenTime = time.Second

// listens says whether a process listens at a socket. One that may not be used
// exists, and whoever asks it is told so.
func listens(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, listenTime)
	if err != nil {
		return errors.Is(err, os.ErrPermission)
	}
	conn.Close()
	return true
}

// perlWords say that the Perl program is running, "" if it is not.
func (s *session) perlWords() string {
	for _, file := range s.pidFiles() {
		if o, ok := state.OriginalOf(string(file)); ok && isPerl(o.PID) {
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
	if !errors.Is(err, status.ErrNotRunning) {
		return err
	}
	what, besides := "", s.perlWords()
	switch {
	case s.inv.dryRun:
		what, besides = "a dry run of ", ""
	case listens(s.dryRunSocket()):
		besides += "; a dry run is running, which takes no orders"
	}
	return &exit{status: exitStopped, stderr: fmt.Sprintf("%sldirectord %s is not running: %v%s", what, s.name(), err, besides)}
}

// headDryRun begins the text of a command that shows a dry run.
func (s *session) headDryRun() {
	if s.showsDryRun {
		fmt.Fprintln(s.Stdout, status.DryRunWords)
	}
}
