// Package daemon is ldirectord as its users meet it: the command line, the
// commands, the process in the background with its pid file and signals, and
// the wiring of everything that works inside it.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/ipvs"
)

// An Env is what a process gives to Main. Nothing in it is nil or empty, except
// where it says so.
type Env struct {
	Args    []string // with the program's name, as os.Args
	Version string   // of this program, for -v
	Stdout  io.Writer
	Stderr  io.Writer

	// The usual directories, see directories.
	RunDir   string // of pid files, and of a directory for sockets and locks; "" is /var/run
	StateDir string // of what outlives the process; "" is /var/lib/ldirectord

	// Signals begins to catch the signals that a daemon lives by (Signals),
	// and stop ends it. It is called once, when a daemon begins to run.
	Signals func() (signals <-chan os.Signal, stop func())

	// ChangeDir changes the working directory of the process, of a daemon and of all
	// that it runs; nil leaves it.
	ChangeDir func(dir string) error

	// OpenTable opens the table that a daemon works on; nil opens the kernel's.
	OpenTable func(ctx context.Context) (ipvs.Table, error)
}

// The exit statuses, as the original has them.
const (
	exitOK      = 0
	exitFailed  = 1 // could not start, or is not running
	exitConfig  = 2
	exitStopped = 3 // the status of a daemon that does not run
	exitLost    = 3 // import could not express everything
	exitUsage   = 255
)

// An exit is an error that is the program's exit status, with what is said
// about it. Empty texts are not said.
type exit struct {
	status int
	stderr string // for the user
	log    string // for ldirectord.log, see logfile.Exiting
	cause  error  // nil if there is none but stderr
}

// Error implements error.
func (e *exit) Error() string { return e.stderr }

// Unwrap lets a caller decide by the cause.
func (e *exit) Unwrap() error { return e.cause }

// initError is what it is when a daemon cannot start.
func initError(err error) error {
	return &exit{status: exitFailed, stderr: err.Error(), log: logfile.ExitInit, cause: err}
}

// Main does what the command line asks for and returns the exit status.
func Main(env Env) int {
	if env.RunDir == "" {
		env.RunDir = "/var/run"
	}
	if env.StateDir == "" {
		env.StateDir = "/var/lib/ldirectord"
	}
	if env.OpenTable == nil {
		env.OpenTable = func(ctx context.Context) (ipvs.Table, error) { return ipvs.Open(ctx) }
	}
	inv, err := parse(env.Args[1:])
	switch {
	case err != nil:
		if text := err.Error(); text != "" {
			fmt.Fprintln(env.Stderr, text)
		}
		fmt.Fprint(env.Stdout, usage())
		return exitUsage
	case inv.version:
		fmt.Fprint(env.Stdout, versionText(env.Version))
		return exitOK
	case inv.help:
		fmt.Fprint(env.Stdout, usage())
		return exitOK
	}
	s := &session{Env: env, inv: inv, report: reportToParent()}
	if s.dirs, err = env.ownDirectories(inv); err == nil {
		err = inv.verb.run(s)
	}
	if errors.Is(err, pflag.ErrHelp) {
		err = s.explain(inv.verb)
	}
	return s.finish(err)
}

// A session is one run of one command.
type session struct {
	Env
	inv      invocation
	dirs     directories
	path     string        // of the configuration file, after the search
	foundAt  string        // path, "" if there is no such file
	startDir string        // the working directory that a daemon was started in
	cfg      *conf.Config  // nil if it cannot be used
	sources  *conf.Sources // that cfg was made of
	log      *logfile.Log  // nil before there is anything to be said

	showsDryRun bool     // a command shows a dry run
	report      *os.File // to the parent that waits; nil if there is none, or it was told
}

// name is what the instance is called, in its pid file and log.
func (s *session) name() string {
	if !s.inv.named {
		return "ldirectord"
	}
	return filepath.Base(s.inv.config)
}

// finish says why a command failed, where it is to be said, and returns the
// exit status.
func (s *session) finish(err error) int {
	status := exitOK
	if err != nil {
		status = s.blame(err)
	}
	if s.log != nil {
		s.log.Close()
	}
	s.tellParent(err)
	return status
}

func (s *session) blame(err error) int {
	why, ok := errors.AsType[*exit](err)
	if !ok {
		why = &exit{status: exitFailed, stderr: err.Error()}
	}
	if why.stderr != "" {
		fmt.Fprintln(s.Stderr, why.stderr)
	}
	if why.log != "" {
		s.openLog()
		s.log.Printf(logfile.Exiting, why.status, why.log)
	}
	return why.status
}

// openLog makes s.log usable, by the configuration if there is one.
func (s *session) openLog() {
	if s.log != nil {
		return
	}
	cfg := s.cfg
	if cfg == nil {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: s.dirs.defaultLog()}}
	}
	if s.inv.is("status") && filepath.IsAbs(cfg.LogFile) && errors.Is(rights.CanAppend(cfg.LogFile), fs.ErrPermission) {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: os.DevNull}}
	}
	s.log = logfile.New(logfile.Options{
		Name: s.name(), Stdout: s.Stdout, Stderr: s.Stderr, Debug: s.inv.debug, DryRun: s.inv.dryRun,
	}, cfg)
}
