package daemon

import (
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// notifySystemd tells systemd about the daemon's state, if it was started by
// systemd with a socket for that. Nothing depends on whether it listens.
func notifySystemd(state string) {
	_, _ = systemd.SdNotify(false, state)
}

// reloading is the state while a configuration is read (Type=notify-reload).
func reloading() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return systemd.SdNotifyReloading
	}
	return fmt.Sprintf("%s\nMONOTONIC_USEC=%d", systemd.SdNotifyReloading, now.Nano()/1000)
}

// watchdogInterval is how often systemd wants to hear that the daemon is not
// stuck, 0 if it does not want to.
func watchdogInterval() time.Duration {
	limit, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		return 0
	}
	return limit / 2
}
