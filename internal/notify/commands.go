package notify

import (
	"context"
	"errors"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// commandTimeout is how long a fallbackcommand may take.
const commandTimeout = 60 * time.Second

// A shellLine is a command of the configuration with the arguments that we add,
// which are no secret.
type shellLine struct {
	command   secret.Command
	arguments string
}

// String is the line as it may be logged.
func (l shellLine) String() string { return l.command.String() + l.arguments }

func (l shellLine) reveal() string { return l.command.Reveal() + l.arguments }

// commandLine is what the shell is given when the event needs a fallbackcommand,
// the zero shellLine if it does not.
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

// runShell runs a line and logs it if it fails. What it leaves running lives on:
// a fallbackcommand may start a server.
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
