package checker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// An External check is up when a command ends with exit status 0. The command
// is run directly, not by a shell: what looks like arguments in Command is
// part of the file's name.
//
// The four arguments are text as in the configuration: an IPv6 address is in
// brackets; of a firewall mark service VAddr is the mark and VPort is "0".
//
// The command and all that it starts are ended at the deadline; whatever it
// leaves running is ended too. A command that a signal ended is down (the
// original took it for a success).
type External struct {
	Command      secret.Command
	VAddr, VPort string
	RAddr, RPort string
}

// String implements Checker.
func (e External) String() string {
	return "external " + strings.Join(append([]string{e.Command.String()}, e.args()...), " ")
}

// Check implements Caller.
func (e External) Check(ctx context.Context) (detail string, err error) {
	return "", runCheck(ctx, command.Command{Path: e.Command.Reveal(), Args: e.args()})
}

func (e External) args() []string { return []string{e.VAddr, e.VPort, e.RAddr, e.RPort} }

// runCheck runs c and is nil if it succeeds by ctx's deadline. The error says
// how it ended and begins to say what it wrote.
func runCheck(ctx context.Context, c command.Command) error {
	begin := time.Now()
	result, err := command.Run(ctx, c)
	switch {
	case err == nil && result.Err() == nil:
		return nil
	case err == nil:
		return saying(result.Err().Error(), result.Output)
	case ctx.Err() != nil:
		return saying(noAnswer(ctx, begin).Error()+", killed", result.Output)
	case cannotFork(err):
		return LocalError{err}
	}
	// Not wrapped: that a command may not be run is no fault of ours in the
	// sense of IsLocal. It is wrong in the file, or the file is.
	return errors.New(err.Error())
}

// cannotFork reports whether starting a program failed for want of something,
// so that no program could be started.
func cannotFork(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && errno != syscall.EACCES && errno != syscall.EPERM && IsLocal(errno)
}

// saying adds the first line of a command's output to how it ended.
func saying(how string, output []byte) error {
	line, _, _ := bytes.Cut(bytes.TrimSpace(output), []byte("\n"))
	if len(line) == 0 {
		return errors.New(how)
	}
	return fmt.Errorf("%s: %s", how, safetext.Excerpt(line))
}
