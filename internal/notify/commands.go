package notify

import (
	"context"
	"errors"
	"time"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// commandTimeout limits the run of a fallbackcommand or quorumcommand.
const commandTimeout = 60 * time.Second

// A shellLine is a configured command, its additional arguments, which are no secret, and
// the user that runs it.
type shellLine struct {
	command   secret.Command
	arguments string
	user      account.Account
}

// String is the line without secrets, for logs.
func (l shellLine) String() string { return l.command.String() + l.arguments }

func (l shellLine) reveal() string { return l.command.Reveal() + l.arguments }

// commandLine is the shell's input if the event needs a fallbackcommand, otherwise
// the zero shellLine.
func commandLine(e event.Event) shellLine {
	if e.Virtual == nil || e.Virtual.FallbackCommand == "" {
		return shellLine{}
	}
	var verb string
	switch e.Kind {
	case event.FallbackOn:
		verb = "start"
	case event.FallbackOff:
		verb = "stop"
	default:
		return shellLine{}
	}
	return shellLine{e.Virtual.FallbackCommand, " " + verb + " " + e.V + " " + e.Virtual.Protocol.String(), e.Virtual.CheckUser}
}

// runShell runs a line and logs a failure. Its child processes may live on: a
// fallbackcommand may start a server.
func runShell(ctx context.Context, line shellLine, log func(string, ...any)) {
	if err := runCommand(ctx, command.Command{Shell: line.reveal(), As: line.user, LeaveChildren: true}); err != nil {
		log(lineCommandFailed, line, err)
	}
}

// runCommand runs c for at most commandTimeout.
func runCommand(ctx context.Context, c command.Command) error {
	if ctx.Err() != nil {
		return errNotRun
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	result, err := command.Run(ctx, c)
	if err == nil {
		err = result.Err()
	}
	if errors.Is(err, context.Canceled) {
		err = errKilled
	}
	return err
}

// errKilled and errNotRun are why a command has ended, or did not begin, when the time of Close
// was over.
var (
	errKilled = errors.New("killed, the daemon ends")
	errNotRun = errors.New("not run, the daemon ends while others take its time")
)

var errTooManyCommands = errors.New("too many commands wait already")

// quorumLine is the shell's input if the event needs a quorumcommand, otherwise the zero
// shellLine.
func quorumLine(e event.Event) shellLine {
	verb := map[event.Kind]string{event.QuorumLost: "down", event.QuorumOver: "down", event.QuorumRegained: "up", event.QuorumMet: "up"}[e.Kind]
	if verb == "" || e.Virtual == nil || e.Virtual.QuorumCommand == "" {
		return shellLine{}
	}
	return shellLine{e.Virtual.QuorumCommand, " " + verb + " " + e.V + " " + e.Virtual.Protocol.String(), e.Virtual.CheckUser}
}

// runQuorum runs a quorumcommand in a lane, and logs that it has failed.
func (n *Notifier) runQuorum(lane string, line shellLine) func(context.Context) {
	return func(ctx context.Context) {
		c := command.Command{Shell: line.reveal(), As: line.user, LeaveChildren: true}
		if err := n.shell.insist(lane, func() error { return runCommand(ctx, c) }); err != nil {
			n.log(lineCommandFailed, line, err)
		}
	}
}

func (n *Notifier) run(line shellLine) func(context.Context) {
	return func(ctx context.Context) { runShell(ctx, line, n.log) }
}
