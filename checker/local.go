package checker

import (
	"errors"
	"slices"
	"syscall"

	"github.com/ldirectord/ldirectord/internal/perlre"
)

// A LocalError means that this host could not run the check: no descriptors, ports,
// memory, rights or route. It is no evidence about the real server.
type LocalError struct{ Err error }

// Error implements error.
func (e LocalError) Error() string { return "not checked: " + e.Err.Error() }

// Unwrap returns the cause.
func (e LocalError) Unwrap() error { return e.Err }

// localErrnos are the errors of system calls that this host causes and not the
// peer.
var localErrnos = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, // no descriptors
	syscall.EADDRNOTAVAIL,                           // no ports, or our own address is gone
	syscall.ENOBUFS, syscall.ENOMEM, syscall.EAGAIN, // no memory, too many processes
	syscall.EPERM, syscall.EACCES, // no rights, or a packet filter of this host
	syscall.ENETUNREACH, syscall.ENETDOWN, // no route
	syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, // a kernel without IPv6 or ping sockets
}

// IsLocal reports whether this host and not the real server caused err: err is or
// wraps a LocalError, a pattern match for which this host was too busy, or an error
// of a system call with a purely local cause.
func IsLocal(err error) bool {
	if _, ok := errors.AsType[LocalError](err); ok {
		return true
	}
	if errors.Is(err, perlre.ErrBusy) {
		return true
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && slices.Contains(localErrnos, errno)
}
