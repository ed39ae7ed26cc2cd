// Package command runs external programs: check commands, alert commands, the local
// mailer. Every program is the leader of its own process group and has a deadline;
// its end releases everything: the whole group, its pipes, its goroutines here.
package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/secret"
)

const (
	defaultGrace = 100 * time.Millisecond
	defaultKeep  = 4 << 10
)

// A Command is one program to run once.
type Command struct {
	Path  string   // the program, run without a shell; looked for in PATH if it has no slash
	Args  []string // its arguments, without the program's name
	Shell string   // instead of Path and Args: a line for /bin/sh
	Env   []string // nil is the environment of this process
	Stdin []byte   // its standard input

	As account.Account // the user that runs it, with HOME, USER and LOGNAME; zero is the user of this process

	// LeaveChildren spares processes that the program has started and left running
	// at its end, for example the daemon that a callback starts. Their output goes
	// nowhere, so Output is empty.
	LeaveChildren bool

	Grace time.Duration // from TERM to KILL after the deadline, 0 is 100 ms
	Keep  int           // limit of Output in bytes, 0 is 4 KiB
}

// A Result is the end of a program that could be started.
type Result struct {
	Status int            // its exit status, -1 if a signal ended it
	Signal syscall.Signal // the signal that ended it, 0 is none
	Output []byte         // the beginning of its stdout and stderr together
}

// Err is nil if the program succeeded, else it describes the end.
func (r Result) Err() error {
	switch {
	case r.Signal != 0:
		return fmt.Errorf("killed by %s", unix.SignalName(r.Signal))
	case r.Status != 0:
		return errors.New("exit status " + strconv.Itoa(r.Status))
	}
	return nil
}

// Run runs c and waits for its end.
//
// A nil error means that the program ran and ended by itself; the Result has its
// status. When ctx is done the whole process group gets TERM and, after c.Grace,
// KILL; the error is then ctx's and the Result has the output so far. Every other
// error means that the program could not be started and wraps the reason.
//
// Run returns at the latest twice c.Grace after ctx's end. Processes that left the
// group (setsid) are out of reach, and Run does not wait for them.
func Run(ctx context.Context, c Command) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	if c.Keep == 0 {
		c.Keep = defaultKeep
	}
	p, err := start(c)
	if err != nil {
		return Result{}, fmt.Errorf("cannot run %s: %w", c.name(), reason(err))
	}
	late := p.wait(ctx, c.Grace)
	if late != nil || !c.LeaveChildren {
		p.signal(unix.SIGKILL) // the rest of the group
	}
	return p.finish(c.Grace), late
}

// name is c's name in an error, with its user.
func (c Command) name() string {
	name := shell
	if c.Shell == "" {
		name = secret.Command(c.Path).String()
	}
	if !c.As.IsZero() {
		name += " as " + c.As.String()
	}
	return name
}

// reason strips the names of system calls and the program's name from an error of
// package exec.
func reason(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
