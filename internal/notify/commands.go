package notify

import (
	"context"
	"errors"
	"time"

	"ldirectord/internal/command"
	"ldirectord/internal/director"
)

// commandTimeout is how long a fallbackcommand may take.
const commandTimeout = 60 * time.Second

// commandLine is what the shell is given when the event needs a fallbackcommand,
// "" if it does not.
func commandLine(e director.Event) string {
	if e.Virtual == nil || e.Virtual.FallbackCommand == "" {
		return ""
	}
	var verb string
	switch e.Kind {
	case director.AllGone:
		verb = "start"
	case director.AnyBack:
		verb = "stop"
	default:
		return ""
	}
	return e.Virtual.FallbackCommand + " " + verb + " " + e.V + " " + e.Virtual.Protocol.String()
}

// runShell runs a line and logs it if it fails. What it leaves running lives on:
// a fallbackcommand may start a server.
func runShell(ctx context.Context, line string, log func(string, ...any)) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	result, err := command.Run(ctx, command.Command{Shell: line, LeaveChildren: true})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		log(lineCommandFailed, line, err)
	}
}

var errTooManyCommands = errors.New("too many commands wait already")

func (n *Notifier) run(line string) func(context.Context) {
	return func(ctx context.Context) { runShell(ctx, line, n.log) }
}
