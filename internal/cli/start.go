package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
)

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

// alreadyRunning reports that process pid is the daemon to start. It is a failure if this
// process should have become the daemon: its supervisor would take the end of this process
// for the daemon's.
func (s *session) alreadyRunning(pid int) error {
	text := (&state.RunningError{PID: pid}).Error()
	if s.inForeground() {
		return &daemon.Exit{Status: exitFailed, Text: text}
	}
	fmt.Fprintln(s.Stderr, text)
	return nil
}

// inForeground reports whether the daemon runs in this process.
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
	return s.end(d)
}

// end ends the daemon for the command.
func (s *session) end(d state.Daemon) error {
	return asRoot(daemon.End(s.options(), d, s.inv.command.name), os.Geteuid())
}

// asRoot is err with its cure, if the user lacked a right.
func asRoot(err error, user int) error {
	if user == 0 || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w: run the command as root", err)
}

// restart ends the daemon, which leaves the table as it is, and starts it anew.
func (s *session) restart() error {
	if err := s.prepare(); err != nil {
		return err
	}
	if err := canRunAs(s.cfg, os.Getpid()); err != nil {
		return err
	}
	if d, ok := s.Running(); ok {
		if err := s.end(d); err != nil {
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
	if err := canRunAs(s.cfg, os.Getpid()); err != nil {
		return err
	}
	if err := s.end(d); err != nil {
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
		return &daemon.Exit{Status: exitFailed, Log: fmt.Sprintf(logfile.ExitingCommand, s.inv.command.name)}
	}
	if err := canRunAs(s.cfg, d.PID); err != nil {
		return err
	}
	if err := unix.Kill(d.PID, unix.SIGHUP); err != nil {
		return asRoot(fmt.Errorf("cannot tell process %d to reload: %w", d.PID, err), os.Geteuid())
	}
	return nil
}

// exists reports whether there is a file at path, or may be.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR)
}
