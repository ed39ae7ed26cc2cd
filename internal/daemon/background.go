package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/state"
)

// The process in the background is this program started again, in a session of its own.
// It reports through a pipe how its start went: an exit status in decimal, a blank, and
// the reason. The variable has the descriptor of the pipe.
const (
	reportVariable = "LDIRECTORD_REPORT_FD"
	reportFD       = 3
)

// startPatience is how long the parent waits for that report: longer than a daemon keeps
// trying to read the table.
const startPatience = 60 * time.Second

// A Parent is the command that waits for this daemon to be ready. A nil one receives
// nothing.
type Parent struct{ report *os.File }

// FindParent returns the parent of this process, nil if no command has started it in the
// background. The children of this process have none.
func FindParent() *Parent {
	if os.Getenv(reportVariable) == "" {
		return nil
	}
	os.Unsetenv(reportVariable)
	syscall.CloseOnExec(reportFD)
	return &Parent{report: os.NewFile(reportFD, "report to the parent")}
}

// Tell reports, once, how the start went; nil is that the daemon is ready. The parent
// may have stopped waiting by then: that does not stop a daemon.
func (p *Parent) Tell(err error) {
	if p == nil || p.report == nil {
		return
	}
	_, _ = io.WriteString(p.report, startReport(err))
	_ = p.report.Close()
	p.report = nil
}

// Detach starts a daemon in the background, by a command line without the program's
// name, and returns when it is ready, or why it is not. program is the name in this
// process's own command line.
func Detach(program string, words []string) error {
	report, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	child, err := childCommand(program, words)
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
func childCommand(program string, words []string) (*exec.Cmd, error) {
	path, err := executable()
	if err != nil {
		return nil, fmt.Errorf("starting the daemon: %w", err)
	}
	child := exec.Command(path)
	child.Args = append([]string{processName(program)}, words...)
	child.Env = append(os.Environ(), reportVariable+"="+strconv.Itoa(reportFD))
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return child, nil
}

// executable is this program's file, or the file that has replaced it.
func executable() (string, error) {
	path, err := os.Executable()
	return strings.TrimSuffix(path, " (deleted)"), err
}

// processName is the name of a daemon's process: a pid file counts only if the process
// has "ldirectord" in its command line.
func processName(program string) string {
	if strings.Contains(program, "ldirectord") {
		return program
	}
	return "ldirectord"
}

// understandReport turns the child's report into the result of start.
func understandReport(text string) error {
	word, why, _ := strings.Cut(text, " ")
	status, err := strconv.Atoi(word)
	if err != nil {
		return errors.New("the daemon ended while it was starting: see the log")
	}
	if status == ExitOK && why == "" {
		return nil
	}
	return &Exit{Status: status, Text: why}
}

// ServeInBackground is Serve in the background, for a parent that waits.
func ServeInBackground(o Options, parent *Parent) error {
	_ = keepCrashes(o.Config.LogFile) // the log itself reports why it cannot be written
	err := Serve(o, func() { parent.Tell(nil) })
	if other, ok := errors.AsType[*state.RunningError](err); ok {
		return &Exit{Text: other.Error()} // another start was faster, which is enough for start
	}
	return err
}

// startReport is the text of a report.
func startReport(err error) string {
	if err == nil {
		return strconv.Itoa(ExitOK)
	}
	status := ExitFailed
	if why, ok := errors.AsType[*Exit](err); ok {
		status = why.Status
	}
	return fmt.Sprintf("%d %s", status, err)
}

// keepCrashes has the runtime write the stacks of a crash to the log file: the standard
// error of a daemon is lost.
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
