package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
)

// prepare finds and reads the configuration file for a command that needs one
// without mistakes, and opens the log.
func (s *session) prepare() error {
	if err := s.find(); err != nil {
		return &exit{status: exitFailed, stderr: err.Error()}
	}
	if err := s.load(); err != nil {
		return &exit{status: exitConfig, stderr: diagnosis(err), log: logfile.ExitConfig}
	}
	s.begin()
	return nil
}

// prepareAnyway is prepare for a command that works without a configuration: a
// mistake in the file, or its absence, must not keep anybody from stopping the
// daemon. (In the original it does.)
func (s *session) prepareAnyway() error {
	if err := s.find(); err != nil {
		if _, ok := s.running(); !ok {
			return &exit{status: exitFailed, stderr: err.Error()}
		}
	}
	if err := s.load(); err != nil {
		fmt.Fprintln(s.Stderr, diagnosis(err))
	}
	s.begin()
	return nil
}

// find searches for the configuration file.
func (s *session) find() error {
	path, err := conf.Search(s.inv.config)
	if err != nil {
		s.path = s.inv.config
		return err
	}
	s.path, s.foundAt = path, path
	return nil
}

// statusLog is the test of a log file for status, which needs no rights: a user who may
// not write the log gets the answer all the same.
func statusLog(path string) error {
	if err := openLog(path); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// load reads the configuration file and prints its warnings.
func (s *session) load() error {
	options := s.dirs.configOptions()
	switch {
	case s.inv.dryRun:
		options = harmless(options)
	case s.inv.is("status"):
		options.TryOpen = statusLog
	}
	sources, err := conf.Read(s.path)
	if err != nil {
		return err
	}
	cfg, err := sources.Parse(options)
	if err != nil {
		return err
	}
	s.cfg, s.sources = cfg, sources
	if s.isChild() {
		return nil // the parent has printed them
	}
	for _, line := range diagnosed(cfg.Warnings) {
		fmt.Fprintln(s.Stderr, line)
	}
	return nil
}

// begin opens the log with the line that each command begins with.
func (s *session) begin() {
	s.openLog()
	if !s.isChild() {
		s.log.Printf(logfile.Invoked, s.invokedAs())
	}
}

// invokedAs is the command line without options, as it is logged.
func (s *session) invokedAs() string {
	return strings.Join(append([]string{s.Args[0]}, s.inv.words...), " ")
}

// start starts a daemon, here or in the background.
func (s *session) start() error {
	if err := s.prepare(); err != nil {
		return err
	}
	return s.startUnlessRunning()
}

func (s *session) startUnlessRunning() error {
	if s.isChild() {
		return s.serveAsChild()
	}
	if d, ok := s.running(); ok && !s.inv.dryRun {
		return s.alreadyRunning(d.PID)
	}
	if s.inForeground() {
		err := s.serve(func() {})
		if other, ok := errors.AsType[*state.RunningError](err); ok { // it was faster
			return s.alreadyRunning(other.PID)
		}
		return err
	}
	return s.detach()
}

// alreadyRunning reports that process pid is the daemon that start is asked for. Where
// this process was to be the daemon, that is a failure: who looks after it would take
// its end for the daemon's.
func (s *session) alreadyRunning(pid int) error {
	text := (&state.RunningError{PID: pid}).Error()
	if s.inForeground() {
		return &exit{status: exitFailed, stderr: text}
	}
	fmt.Fprintln(s.Stderr, text)
	return nil
}

// inForeground says whether the daemon is to run in this process.
func (s *session) inForeground() bool {
	return s.inv.debug || s.inv.dryRun || s.inv.foreground || s.cfg.Supervised
}

// stop stops the daemon.
func (s *session) stop() error {
	if err := s.prepareAnyway(); err != nil {
		return err
	}
	d, ok := s.running()
	if !ok {
		return nil
	}
	return s.endRunning(d, false)
}

// restart ends the daemon, which leaves the table as it is, and starts it anew.
func (s *session) restart() error {
	if err := s.prepare(); err != nil {
		return err
	}
	if d, ok := s.running(); ok {
		if err := s.endRunning(d, true); err != nil {
			return err
		}
	}
	return s.startUnlessRunning()
}

// tryRestart restarts the daemon if it runs.
func (s *session) tryRestart() error {
	if err := s.prepare(); err != nil {
		return err
	}
	d, ok := s.running()
	if !ok {
		return nil
	}
	if err := s.endRunning(d, true); err != nil {
		return err
	}
	return s.startUnlessRunning()
}

// reload has the running daemon read its configuration again.
func (s *session) reload() error {
	if err := s.prepare(); err != nil {
		return err
	}
	d, ok := s.running()
	if !ok {
		s.log.Printf(logfile.IsStopped, s.path)
		return &exit{status: exitFailed, log: fmt.Sprintf(logfile.ExitingCommand, s.inv.verb.name)}
	}
	if err := unix.Kill(d.PID, unix.SIGHUP); err != nil {
		return fmt.Errorf("cannot tell process %d to reload: %w", d.PID, err)
	}
	return nil
}

// status says whether the daemon runs and works.
func (s *session) status() error {
	if err := s.prepareAnyway(); err != nil {
		return err
	}
	leaving := fmt.Sprintf(logfile.ExitingCommand, s.inv.verb.name)
	if d, ok := s.running(); ok {
		text := fmt.Sprintf(logfile.IsRunning, s.path, d.PID)
		if err := d.Working(); err != nil {
			text = err.Error()
			s.log.Printf("%s", text)
			return &exit{status: exitFailed, stderr: text, log: leaving}
		}
		fmt.Fprintln(s.Stderr, text)
		s.log.Printf("%s", text)
		s.log.Printf("%s", leaving)
		return nil
	}
	files := s.pidFiles()
	left := slices.IndexFunc(files, pidFile.exists)
	stale := left >= 0
	if stale {
		text := fmt.Sprintf(logfile.StalePIDFile, files[left], s.path)
		fmt.Fprintln(s.Stderr, text)
		s.log.Printf("%s", text)
	}
	fmt.Fprintf(s.Stdout, logfile.IsStopped+"\n", s.path)
	if stale {
		return &exit{status: exitFailed, log: leaving}
	}
	return &exit{status: exitStopped, log: leaving}
}
