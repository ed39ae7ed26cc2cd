// Package cli is the command line: its options and commands, what they print and the exit
// status. Package daemon does the work of the process that they start, end and query.
package cli

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
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/ipvs"
)

// An Env is the environment of Main. Nothing in it is nil or empty, except
// where it says so.
type Env struct {
	Args    []string // with the program's name, as os.Args
	Version string   // of this program, for -v
	Stdout  io.Writer
	Stderr  io.Writer

	// The usual directories, see daemon.FindDirectories.
	RunDir   string // of pid files, and of a directory for sockets and locks; "" is /var/run
	StateDir string // of the files that outlive the process; "" is /var/lib/ldirectord

	// Signals begins to catch daemon.Signals, and stop ends it. It is called once, when a
	// daemon begins to run.
	Signals func() (signals <-chan os.Signal, stop func())

	// ChangeDir changes the working directory of the process, of a daemon and of all its
	// children; nil leaves it.
	ChangeDir func(dir string) error

	// OpenTable opens the daemon's table; nil opens the kernel's.
	OpenTable func(ctx context.Context) (ipvs.Table, error)
}

// The exit statuses, as the original has them.
const (
	exitOK      = daemon.ExitOK
	exitFailed  = daemon.ExitFailed
	exitConfig  = 2
	exitStopped = 3 // status: the daemon does not run
	exitLost    = 3 // import could not express everything
	exitPlanned = 3 // plan has changes
	exitUsage   = 255
)

// Main runs the command of the command line and returns the exit status.
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
	s := &session{Env: env, Instance: daemon.Instance{Name: inv.instance()}, inv: inv, parent: daemon.FindParent()}
	if s.Dirs, err = daemon.FindDirectories(env.RunDir, env.StateDir, inv.dirs); err == nil {
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
	daemon.Instance
	inv     invocation
	cfg     *conf.Config  // nil if it cannot be used
	sources *conf.Sources // from which cfg was made
	log     *logfile.Log  // nil before the first line
	parent  *daemon.Parent

	showsDryRun bool // a command shows a dry run
}

// options are the session's for a daemon that is started, ended or planned.
func (s *session) options() daemon.Options {
	return daemon.Options{
		Instance: s.Instance, Version: s.Version, Config: s.cfg, Sources: s.sources, Log: s.log,
		Debug: s.inv.debug, DryRun: s.inv.dryRun,
		Signals: s.Signals, ChangeDir: s.ChangeDir, OpenTable: s.OpenTable,
	}
}

// finish reports why a command failed, to the user, the log and the parent, and returns
// the exit status.
func (s *session) finish(err error) int {
	status := exitOK
	if err != nil {
		status = s.blame(err)
	}
	if s.log != nil {
		s.log.Close()
	}
	s.parent.Tell(err)
	return status
}

func (s *session) blame(err error) int {
	why, ok := errors.AsType[*daemon.Exit](err)
	if !ok {
		why = &daemon.Exit{Status: exitFailed, Text: err.Error()}
	}
	if why.Text != "" {
		fmt.Fprintln(s.Stderr, why.Text)
	}
	if why.Log != "" {
		s.openLog()
		s.log.Printf(logfile.Exiting, why.Status, why.Log)
	}
	return why.Status
}

// openLog opens the log of the configuration, or the usual one without a configuration.
func (s *session) openLog() {
	if s.log != nil {
		return
	}
	cfg := s.cfg
	if cfg == nil {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: s.Dirs.DefaultLog()}}
	}
	if s.inv.is("status") && filepath.IsAbs(cfg.LogFile) && errors.Is(rights.CanAppend(cfg.LogFile), fs.ErrPermission) {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: os.DevNull}}
	}
	s.log = logfile.New(logfile.Options{
		Name: s.Name, Stdout: s.Stdout, Stderr: s.Stderr, Debug: s.inv.debug, DryRun: s.inv.dryRun,
	}, cfg)
}
