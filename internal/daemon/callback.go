package daemon

import (
	"context"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// callbackTimeout is how long a callback may take.
const callbackTimeout = 60 * time.Second

// runCallback runs the command of the callback directive with the path of the
// configuration file. What it leaves running lives on.
func runCallback(ctx context.Context, callback secret.Command, path string, log func(string, ...any)) {
	ctx, cancel := context.WithTimeout(ctx, callbackTimeout)
	defer cancel()
	result, err := command.Run(ctx, command.Command{Path: callback.Reveal(), Args: []string{path}, LeaveChildren: true})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		log(logfile.CommandFailed, callback.String()+" "+path, err)
	}
}
