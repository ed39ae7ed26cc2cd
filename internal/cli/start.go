package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
)

// prepare finds and reads the configuration file for a command that needs one
// without mistakes, and opens the log.
func (s *session) prepare() error {
	if err := s.find(); err != nil {
		return &daemon.Exit{Status: exitFailed, Text: err.Error()}
	}
	if err := s.load(); err != nil {
		return &daemon.Exit{Status: exitConfig, Text: daemon.Diagnosis(err), Log: logfile.ExitConfig}
	}
	s.begin()
	return nil
}

// prepareAnyway is prepare for a command that works without a configuration: a
// mistake in the file, or its absence, must not keep anybody from stopping the
// daemon. (In the original it does.)
func (s *session) prepareAnyway() error {
	if err := s.find(); err != nil {
		if _, ok := s.Running(); !ok {
			return &daemon.Exit{Status: exitFailed, Text: err.Error()}
		}
	}
	if err := s.load(); err != nil {
		fmt.Fprintln(s.Stderr, daemon.Diagnosis(err))
	}
	s.begin()
	return nil
}

// find searches for the configuration file.
func (s *session) find() error {
	path, err := conf.Search(s.inv.config)
	if err != nil {
		s.Path = s.inv.config
		return err
	}
	s.Path, s.Found = path, true
	return nil
}

// statusLog is the test of a log file for status, which needs no rights: a user who may
// not write the log gets the answer all the same.
func statusLog(path string) error {
	if err := daemon.TryLog(path); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// load reads the configuration file and prints its warnings.
func (s *session) load() error {
	options := s.Dirs.ConfigOptions()
	switch {
	case s.inv.dryRun:
		options = daemon.Harmless(options)
	case s.inv.is("status"):
		options.TryOpen = statusLog
	}
	sources, err := conf.Read(s.Path)
	if err != nil {
		return err
	}
	cfg, err := sources.Parse(options)
	if err != nil {
		return err
	}
	s.cfg, s.sources = cfg, sources
	if s.parent != nil {
		return nil // the parent has printed them
	}
	for _, line := range daemon.Diagnosed(cfg.Warnings) {
		fmt.Fprintln(s.Stderr, line)
	}
	return nil
}

// begin opens the log with the line that each command begins with.
func (s *session) begin() {
	s.openLog()
	if s.parent == nil {
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
	if s.parent != nil {
		return daemon.ServeInBackground(s.options(), s.parent)
	}
	if d, ok := s.Running(); ok && !s.inv.dryRun {
		return s.alreadyRunning(d.PID)
	}
	if s.inForeground() {
		err := daemon.Serve(s.options(), func() {})
		if other, ok := errors.AsType[*state.RunningError](err); ok { // it was faster
			return s.alreadyRunning(other.PID)
		}
		return err
	}
	return daemon.Detach(s.Args[0], s.inv.childWords(s.Dirs.Options()))
}

// alreadyRunning reports that process pid is the daemon that start is asked for. Where
// this process was to be the daemon, that is a failure: who looks after it would take
// its end for the daemon's.
func (s *session) alreadyRunning(pid int) error {
	text := (&state.RunningError{PID: pid}).Error()
	if s.inForeground() {
		return &daemon.Exit{Status: exitFailed, Text: text}
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
	d, ok := s.Running()
	if !ok {
		return nil
	}
	return daemon.End(s.options(), d, s.inv.verb.name)
}

// restart ends the daemon, which leaves the table as it is, and starts it anew.
func (s *session) restart() error {
	if err := s.prepare(); err != nil {
		return err
	}
	if d, ok := s.Running(); ok {
		if err := daemon.End(s.options(), d, s.inv.verb.name); err != nil {
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
	d, ok := s.Running()
	if !ok {
		return nil
	}
	if err := daemon.End(s.options(), d, s.inv.verb.name); err != nil {
		return err
	}
	return s.startUnlessRunning()
}

// reload has the running daemon read its configuration again.
func (s *session) reload() error {
	if err := s.prepare(); err != nil {
		return err
	}
	d, ok := s.Running()
	if !ok {
		s.log.Printf(logfile.IsStopped, s.Path)
		return &daemon.Exit{Status: exitFailed, Log: fmt.Sprintf(logfile.ExitingCommand, s.inv.verb.name)}
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
	if d, ok := s.Running(); ok {
		text := fmt.Sprintf(logfile.IsRunning, s.Path, d.PID)
		if err := d.Working(); err != nil {
			text = err.Error()
			s.log.Printf("%s", text)
			return &daemon.Exit{Status: exitFailed, Text: text, Log: leaving}
		}
		fmt.Fprintln(s.Stderr, text)
		s.log.Printf("%s", text)
		s.log.Printf("%s", leaving)
		return nil
	}
	files := s.PIDFiles()
	left := slices.IndexFunc(files, exists)
	stale := left >= 0
	if stale {
		if err := s.PIDFileOfOther(files[left]); err != nil {
			fmt.Fprintln(s.Stderr, err)
			s.log.Printf("%s", err)
			stale = false
		}
	}
	if stale {
		text := fmt.Sprintf(logfile.StalePIDFile, files[left], s.Path)
		fmt.Fprintln(s.Stderr, text)
		s.log.Printf("%s", text)
	}
	fmt.Fprintf(s.Stdout, logfile.IsStopped+"\n", s.Path)
	if stale {
		return &daemon.Exit{Status: exitFailed, Log: leaving}
	}
	return &daemon.Exit{Status: exitStopped, Log: leaving}
}

// exists reports whether there is a file at path, or may be.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
