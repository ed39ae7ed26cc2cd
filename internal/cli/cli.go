// Package cli is the command line: its options and commands, what they print and the exit
// status. Package daemon does the work of the process that they start, end and query.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/ipvs"
)

// An Env is the environment of Main. No field is nil or empty, except where its comment
// allows it.
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
	out := outputTo(env.Stdout)
	if isTerminal(env.Stderr) {
		env.Stderr = outputTo(env.Stderr)
	}
	if inv.command != nil && inv.command.prose {
		out.fold = columnsOf(env.Stdout)
	}
	env.Stdout = out
	return out.end(run(env, inv, err), inv.is, env.Stderr)
}

// run runs a command, or says with err why there is none.
func run(env Env, inv invocation, err error) int {
	wrong, ok := errors.AsType[*daemon.Exit](err)
	switch {
	case ok:
		fmt.Fprintln(env.Stderr, wrong.Text)
		return wrong.Status
	case err != nil:
		fmt.Fprint(env.Stdout, usage())
		if text := err.Error(); text != "" { // last: the usage is longer than a screen
			fmt.Fprintln(env.Stderr, text)
		}
		return exitUsage
	case inv.version:
		fmt.Fprint(env.Stdout, versionText(env.Version))
		return exitOK
	case inv.help:
		fmt.Fprint(env.Stdout, usage())
		return exitOK
	case inv.explain:
		fmt.Fprint(env.Stdout, inv.command.explanation())
		return exitOK
	}
	s := &session{Env: env, Instance: daemon.Instance{Name: inv.instance()}, inv: inv, parent: daemon.FindParent()}
	if s.Dirs, err = daemon.FindDirectories(env.RunDir, env.StateDir, inv.dirs); err == nil {
		err = inv.command.execute(s, inv.args)
	}
	return s.finish(err)
}
