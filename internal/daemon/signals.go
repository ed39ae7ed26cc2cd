package daemon

import (
	"os"

	"golang.org/x/sys/unix"
)

// LeaveSignal is RTMIN+5 of the C library. It ends the daemon and leaves the table as
// it is. The original and older versions of this program have no handler for it and end,
// too.
const LeaveSignal = unix.Signal(34 + 5)

// leaveName is LeaveSignal as it is logged.
const leaveName = "RTMIN+5"

// Signals are the signals that a daemon handles: those of the original, USR1 and
// LeaveSignal.
var Signals = []os.Signal{
	unix.SIGHUP, unix.SIGUSR1, unix.SIGPIPE, LeaveSignal,
	unix.SIGINT, unix.SIGQUIT, unix.SIGTERM,
	unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGSEGV, unix.SIGSYS, unix.SIGXCPU, unix.SIGXFSZ,
}

// An order is the effect of a signal.
type order uint8

const (
	ignore order = iota
	reloadOrder
	reopenOrder
	stopOrder
	leaveOrder
)

// orderOf is the effect of sig. Every signal that would end a process ends the daemon in
// good order, except that of a broken pipe.
func orderOf(sig os.Signal) order {
	switch sig {
	case unix.SIGHUP:
		return reloadOrder
	case unix.SIGUSR1:
		return reopenOrder
	case unix.SIGPIPE:
		return ignore
	case LeaveSignal:
		return leaveOrder
	}
	return stopOrder
}

// Stops reports whether sig ends a daemon in good order.
func Stops(sig os.Signal) bool { return orderOf(sig) == stopOrder }

// signalName is the signal's name as it is logged: "TERM".
func signalName(sig os.Signal) string {
	if sig == LeaveSignal {
		return leaveName
	}
	number, ok := sig.(unix.Signal)
	if !ok {
		return sig.String()
	}
	name := unix.SignalName(number)
	if len(name) > 3 {
		return name[3:] // without SIG
	}
	return sig.String()
}
