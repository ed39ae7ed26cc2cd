package notify

import (
	"context"
	"errors"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// commandTimeout limits the run of a fallbackcommand.
const commandTimeout = 60 * time.Second

// A shellLine is a configured command and its additional arguments, which are no
// secret.
type shellLine struct {
	command   secret.Command
	arguments string
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
	return shellLine{e.Virtual.FallbackCommand, " " + verb + " " + e.V + " " + e.Virtual.Protocol.String()}
}

// runShell runs a line and logs a failure. Its child processes may live on: a
// fallbackcommand may start a server.
func runShell(ctx context.Context, line shellLine, log func(string, ...any)) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	result, err := command.Run(ctx, command.Command{Shell: line.reveal(), LeaveChildren: true})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		log(lineCommandFailed, line, err)
	}
}

var errTooManyCommands = errors.New("too many commands wait already")

func (n *Notifier) run(line shellLine) func(context.Context) {
	return func(ctx context.Context) { runShell(ctx, line, n.log) }
}
