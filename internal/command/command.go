// Package command runs external programs: check commands, alert commands, the
// local mailer. Every program is the leader of a process group of its own and
// is given a deadline; what it was given is taken back when it ends, whatever
// it did: the whole group, its pipes, its goroutines here.
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
	Stdin []byte   // what it can read from its standard input

	// LeaveChildren lets processes live on that the program started and left
	// running when it ended by itself, as a callback that starts a daemon
	// does. Nobody reads what they write, so there is no Output then.
	LeaveChildren bool

	Grace time.Duration // from TERM to KILL after the deadline, 0 is 100 ms
	Keep  int           // how many bytes of output are kept, 0 is 4 KiB
}

// A Result is how a program ended that could be run.
type Result struct {
	Status int            // its exit status, -1 if a signal ended it
	Signal syscall.Signal // the signal that ended it, 0 is none
	Output []byte         // the beginning of what it wrote to stdout and stderr together
}

// Err is nil if the program succeeded, else it says how it ended.
func (r Result) Err() error {
	switch {
	case r.Signal != 0:
		return fmt.Errorf("killed by %s", unix.SignalName(r.Signal))
	case r.Status != 0:
		return errors.New("exit status " + strconv.Itoa(r.Status))
	}
	return nil
}

// Run runs c and waits until it has ended.
//
// A nil error means that the program ran and ended by itself; the Result says
// how. When ctx is done the whole process group gets TERM and, after c.Grace,
// KILL; the error is then ctx's and the Result holds what it wrote until then.
// Every other error means that the program could not be started and wraps the
// reason.
//
// Run returns not later than ctx's end and twice c.Grace. Processes that left
// the group (setsid) are out of reach, but nothing here waits for them.
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
		p.signal(unix.SIGKILL) // whatever is left of the group
	}
	return p.finish(c.Grace), late
}

// name is what c is called in an error.
func (c Command) name() string {
	if c.Shell != "" {
		return shell
	}
	return secret.Command(c.Path).String()
}

// reason takes the names of system calls and the program's own name off an
// error of package exec.
func reason(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
