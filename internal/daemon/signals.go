package daemon

import (
	"os"

	"golang.org/x/sys/unix"
)

// Signals are the signals that a daemon wants to hear of: those of the original,
// and USR1.
var Signals = []os.Signal{
	unix.SIGHUP, unix.SIGUSR1, unix.SIGPIPE,
	unix.SIGINT, unix.SIGQUIT, unix.SIGTERM,
	unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGSEGV, unix.SIGSYS, unix.SIGXCPU, unix.SIGXFSZ,
}

// An order is what a signal asks for.
type order uint8

const (
	ignore order = iota
	reloadOrder
	reopenOrder
	stopOrder
)

// orderOf is what sig asks for. Whatever would end a process ends the daemon in
// good order, except a broken pipe.
func orderOf(sig os.Signal) order {
	switch sig {
	case unix.SIGHUP:
		return reloadOrder
	case unix.SIGUSR1:
		return reopenOrder
	case unix.SIGPIPE:
		return ignore
	}
	return stopOrder
}

// signalName is the signal's name as it is logged: "TERM".
func signalName(sig os.Signal) string {
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
