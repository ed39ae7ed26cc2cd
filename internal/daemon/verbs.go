package daemon

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ldirectord/conf"
	"ldirectord/internal/logfile"
)

// stopPatience is how long stop waits for a daemon to end. The daemon itself
// takes a few seconds at most.
const stopPatience = 20 * time.Second

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
		if _, state := s.pidFile().read(); state != running {
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
	s.path = path
	return nil
}

// load reads the configuration file and prints its warnings.
func (s *session) load() error {
	options := configOptions()
	if s.inv.dryRun {
		options = harmless(options)
	}
	cfg, err := conf.Load(s.path, options)
	if err != nil {
		return err
	}
	s.cfg = cfg
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
	if _, state := s.pidFile().read(); state == running && !s.inv.dryRun {
		return nil
	}
	if s.inForeground() {
		return s.serve(func() {})
	}
	return s.detach()
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
	return s.endRunning()
}

// endRunning has the running daemon stop, if there is one, and waits for it.
func (s *session) endRunning() error {
	pid, state := s.pidFile().read()
	if state != running {
		return nil
	}
	if err := unix.Kill(pid, unix.SIGTERM); err != nil && err != unix.ESRCH {
		return fmt.Errorf("cannot stop process %d: %w", pid, err)
	}
	if !waitGone(pid, stopPatience) {
		return fmt.Errorf("process %d has not ended within %v of the signal to stop", pid, stopPatience)
	}
	return nil
}

// restart stops the daemon and starts it anew.
func (s *session) restart() error {
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.endRunning(); err != nil {
		return err
	}
	return s.startUnlessRunning()
}

// tryRestart restarts the daemon if it runs.
func (s *session) tryRestart() error {
	if err := s.prepare(); err != nil {
		return err
	}
	if _, state := s.pidFile().read(); state != running {
		return nil
	}
	if err := s.endRunning(); err != nil {
		return err
	}
	return s.startUnlessRunning()
}

// reload has the running daemon read its configuration again.
func (s *session) reload() error {
	if err := s.prepare(); err != nil {
		return err
	}
	pid, state := s.pidFile().read()
	if state != running {
		s.log.Printf(logfile.IsStopped, s.path)
		return &exit{status: exitFailed, log: fmt.Sprintf(logfile.ExitingCommand, s.inv.verb.name)}
	}
	if err := unix.Kill(pid, unix.SIGHUP); err != nil {
		return fmt.Errorf("cannot tell process %d to reload: %w", pid, err)
	}
	return nil
}

// status says whether the daemon runs.
func (s *session) status() error {
	if err := s.prepareAnyway(); err != nil {
		return err
	}
	leaving := fmt.Sprintf(logfile.ExitingCommand, s.inv.verb.name)
	pid, state := s.pidFile().read()
	switch state {
	case running:
		text := fmt.Sprintf(logfile.IsRunning, s.path, pid)
		fmt.Fprintln(s.Stderr, text)
		s.log.Printf("%s", text)
		s.log.Printf("%s", leaving)
		return nil
	case stale:
		text := fmt.Sprintf(logfile.StalePIDFile, s.pidFile(), s.path)
		fmt.Fprintln(s.Stderr, text)
		s.log.Printf("%s", text)
	}
	fmt.Fprintf(s.Stdout, logfile.IsStopped+"\n", s.path)
	if state == stale {
		return &exit{status: exitFailed, log: leaving}
	}
	return &exit{status: exitStopped, log: leaving}
}
