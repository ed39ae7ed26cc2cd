package daemon

import (
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// notifySystemd reports a state of the daemon to systemd, if NOTIFY_SOCKET names its
// socket. Nothing depends on the result.
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

// watchdogInterval is the time between two reports to the watchdog of systemd, 0 without
// a watchdog.
func watchdogInterval() time.Duration {
	limit, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		return 0
	}
	return limit / 2
}
