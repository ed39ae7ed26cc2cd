package daemon

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/command"
)

// userTime limits the trial of CanRunAs.
const userTime = 5 * time.Second

// canRunAs is CanRunAs for this process. A dry run runs no commands but those of checks.
func canRunAs(cfg *conf.Config, dryRun bool) error {
	if dryRun && !cfg.ChecksAs() {
		return nil
	}
	return CanRunAs(cfg, os.Getpid())
}

// CanRunAs returns why a daemon in process pid, which may be this one, cannot run commands
// as the user of checkuser. It is nil if it can, or has none to run. It tries what this
// process can do if both are root's.
func CanRunAs(cfg *conf.Config, pid int) error {
	user := cfg.CheckUser
	if user.IsZero() || !cfg.RunsAs() {
		return nil
	}
	switch owner := userOf(pid); {
	case owner == int(user.UID):
		return nil
	case owner != 0:
		// With capabilities it might become that user, but its commands would keep them.
		return fmt.Errorf("checkuser = %s: only root's daemon can run commands as another user, and this one runs as user %d", user, owner)
	case os.Geteuid() != 0:
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), userTime)
	defer cancel()
	result, err := command.Run(ctx, command.Command{Shell: "exit 0", As: user})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return fmt.Errorf("checkuser = %s: commands cannot run as this user: %w (the capabilities CAP_SETUID and CAP_SETGID are needed)", user, err)
	}
	return nil
}

// userOf is the effective user of a process, our own if it cannot be read.
func userOf(pid int) int {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err == nil && pid != os.Getpid() {
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) < 3 || words[0] != "Uid:" {
				continue
			}
			if n, err := strconv.Atoi(words[2]); err == nil {
				return n
			}
		}
	}
	return os.Geteuid()
}
