package checker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// An External check is up when a command ends with exit status 0. The command runs
// directly, without a shell: blanks in Command belong to the file name.
//
// The first four arguments, without ArgsOnly, are in the notation of the configuration: an IPv6 address is
// in brackets; for a firewall mark VAddr is the mark and VPort is "0". Those of Args, which
// may be secret, follow.
//
// The deadline, and the end of the command, end all processes that it has started.
// A command that a signal ended is down (the original took it for a success).
type External struct {
	Command      secret.Command
	User         account.Account // the user that runs it, zero is that of this process
	VAddr, VPort string
	RAddr, RPort string
	Args         string // further ones, with a NUL between them
	ArgsOnly     bool   // the command gets Args alone
	Weighs       bool   // an exit status from 2 on is up, with the weight that weightOf has
}

// String implements Checker.
func (e External) String() string {
	words := append([]string{"external", e.Command.String()}, e.own()...)
	if e.Args != "" {
		words = append(words, secret.Mask)
	}
	return strings.Join(words, " ")
}

// Check implements Caller.
func (e External) Check(ctx context.Context) (detail string, err error) {
	return "", e.run(ctx, command.Command{Path: e.Command.Reveal(), Args: e.args(), As: e.User})
}

func (e External) own() []string {
	if e.ArgsOnly {
		return nil
	}
	return []string{e.VAddr, e.VPort, e.RAddr, e.RPort}
}

func (e External) args() []string {
	if e.Args == "" {
		return e.own()
	}
	return append(e.own(), strings.Split(e.Args, "\x00")...)
}

// run runs c and returns nil, or a Wish, if it succeeds by ctx's deadline. Any other error
// describes how the command ended and quotes the beginning of its output.
func (e External) run(ctx context.Context, c command.Command) error {
	begin := time.Now()
	result, err := command.Run(ctx, c)
	switch {
	case err == nil && e.Weighs && result.Status > 1:
		weight := weightOf(result.Status)
		return Wish{Weighs: true, Weight: weight, Drains: weight == 0, Answer: fmt.Sprintf("exit status %d, weight %d", result.Status, weight)}
	case err == nil && result.Err() == nil:
		return nil
	case err == nil:
		return saying(result.Err().Error(), result.Output)
	case ctx.Err() != nil:
		return saying(noAnswer(ctx, begin).Error()+", killed", result.Output)
	case cannotFork(err):
		return LocalError{err}
	}
	// Not wrapped: a command without the right to run is no local error in the
	// sense of IsLocal. The configuration or the file is wrong.
	return errors.New(err.Error())
}

// weightOf is the weight of an exit status above 1, as keepalived's misc_dynamic has it.
func weightOf(status int) int { return status - 2 }

// cannotFork reports whether this host lacked the resources to start any program.
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
