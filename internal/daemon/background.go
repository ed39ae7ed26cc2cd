package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/state"
)

// The process in the background is this program started again, in a session of
// its own. It tells its parent through a pipe how its start went: an exit
// status in decimal, a blank, and why. The variable names the pipe.
const (
	reportVariable = "LDIRECTORD_REPORT_FD"
	reportFD       = 3
)

// startPatience is how long the parent waits for that report: longer than a daemon tries
// to read a table that cannot be read.
const startPatience = 60 * time.Second

// reportToParent is the pipe to the parent, nil if this process is nobody's
// child in this sense. What is run from here is none either.
func reportToParent() *os.File {
	if os.Getenv(reportVariable) == "" {
		return nil
	}
	os.Unsetenv(reportVariable)
	syscall.CloseOnExec(reportFD)
	return os.NewFile(reportFD, "report to the parent")
}

// isChild says whether this is the process in the background, whose parent
// waits to be told.
func (s *session) isChild() bool { return s.report != nil }

// detach starts the daemon in the background and returns when it is ready, or
// why it is not.
func (s *session) detach() error {
	report, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	child, err := s.childCommand()
	if err != nil {
		theirs.Close()
		return err
	}
	child.ExtraFiles = []*os.File{theirs} // becomes reportFD
	err = child.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	if err := report.SetReadDeadline(time.Now().Add(startPatience)); err != nil {
		return err
	}
	text, err := io.ReadAll(report)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the daemon, process %d, is not ready yet after %v: see the log", child.Process.Pid, startPatience)
	}
	return understandReport(string(text))
}

// childCommand is this program, to be started in the background.
func (s *session) childCommand() (*exec.Cmd, error) {
	path, err := executable()
	if err != nil {
		return nil, fmt.Errorf("starting the daemon: %w", err)
	}
	child := exec.Command(path)
	child.Args = append([]string{processName(s.Args[0])}, s.childWords()...)
	child.Env = append(os.Environ(), reportVariable+"="+strconv.Itoa(reportFD))
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return child, nil
}

// executable is this program's file, or the one that has taken its place.
func executable() (string, error) {
	path, err := os.Executable()
	return strings.TrimSuffix(path, " (deleted)"), err
}

// childWords is the command line that starts the same instance.
func (s *session) childWords() []string {
	words := slices.Clone(s.dirs.options)
	switch {
	case !s.inv.named:
	case strings.HasPrefix(s.inv.config, "-") || verbNamed(s.inv.config) != nil:
		words = append(words, "--config="+s.inv.config)
	default:
		words = append(words, s.inv.config)
	}
	return append(words, "start")
}

// processName is what a daemon's process is called: a pid file counts only if
// the process has "ldirectord" in its command line.
func processName(program string) string {
	if strings.Contains(program, "ldirectord") {
		return program
	}
	return "ldirectord"
}

// understandReport turns what the child reported into start's result.
func understandReport(text string) error {
	word, why, _ := strings.Cut(text, " ")
	status, err := strconv.Atoi(word)
	if err != nil {
		return errors.New("the daemon ended while it was starting: see the log")
	}
	if status == exitOK && why == "" {
		return nil
	}
	return &exit{status: status, stderr: why}
}

// serveAsChild is the daemon in the background.
func (s *session) serveAsChild() error {
	_ = keepCrashes(s.cfg.LogFile) // the log itself reports why it cannot be written
	err := s.serve(func() { s.tellParent(nil) })
	if other, ok := errors.AsType[*state.RunningError](err); ok {
		return &exit{stderr: other.Error()} // another start was faster: start asks for no more
	}
	return err
}

// tellParent reports, once, how the start went. The parent may have lost its
// patience by then: that does not stop a daemon.
func (s *session) tellParent(err error) {
	if s.report == nil {
		return
	}
	_, _ = io.WriteString(s.report, startReport(err))
	_ = s.report.Close()
	s.report = nil
}

// startReport is what the parent is told.
func startReport(err error) string {
	if err == nil {
		return strconv.Itoa(exitOK)
	}
	status := exitFailed
	if why, ok := errors.AsType[*exit](err); ok {
		status = why.status
	}
	return fmt.Sprintf("%d %s", status, err)
}

// keepCrashes has the runtime write the stacks of a crash to the log file:
// nobody sees the standard error of a daemon.
func keepCrashes(logFile string) error {
	if !strings.HasPrefix(logFile, "/") {
		return nil // a syslog facility
	}
	file, err := rights.Append(logFile)
	if err != nil {
		return err
	}
	defer file.Close() // the runtime has a descriptor of its own
	return debug.SetCrashOutput(file, debug.CrashOptions{})
}
