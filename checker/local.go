package checker

import (
	"errors"
	"slices"
	"syscall"

	"github.com/ldirectord/ldirectord/internal/perlre"
)

// A LocalError means that the real server could not be asked at all and that
// this is our side's fault: no descriptors, no ports, no memory, no rights, no
// route. It says nothing about the real server.
type LocalError struct{ Err error }

// Error implements error.
func (e LocalError) Error() string { return "could not ask: " + e.Err.Error() }

// Unwrap returns what went wrong here.
func (e LocalError) Unwrap() error { return e.Err }

// localErrnos are the errors of system calls that are about us and not about
// the peer.
var localErrnos = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, // descriptors
	syscall.EADDRNOTAVAIL,                           // ports, or our own address is gone
	syscall.ENOBUFS, syscall.ENOMEM, syscall.EAGAIN, // memory, processes
	syscall.EPERM, syscall.EACCES, // rights, or a filter of our own
	syscall.ENETUNREACH, syscall.ENETDOWN, // routes
	syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, // a kernel without IPv6 or ping sockets
}

// IsLocal reports whether err is about us and not about the real server: it
// is or wraps a LocalError, is about a match that this host was too busy for, or the error of a system call that only this side
// can have caused.
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
