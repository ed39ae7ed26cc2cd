package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// The network's errors about a real server. Logs print them in one line behind the
// description of the check.
var (
	ErrRefused     = errors.New("connection refused")
	ErrReset       = errors.New("connection reset")
	ErrClosed      = errors.New("closed the connection")
	ErrNoRoute     = errors.New("no route to host")
	ErrUnreachable = errors.New("network is unreachable")
)

var (
	errTooLong    = errors.New("too long an answer")
	errTooFar     = fmt.Errorf("redirected more than %d times", maxFollows)
	errBeforeTLS  = errors.New("sent more than was asked for before the TLS handshake")
	errNoAddress  = errors.New("no address")
	errTooManyRun = checker.LocalError{Err: errors.New("too many checks did not end by their deadline")}
)

// A phase is the part of a connection in which a timeout came.
type phase string

const (
	connecting  phase = " while connecting"
	handshaking phase = " in the TLS handshake"
	talking     phase = ""
)

// noAnswer is the error of a timeout, with the phase.
func noAnswer(timeout time.Duration, where phase) error {
	return fmt.Errorf("no answer in %v%s", timeout, where)
}

// noEnd is the error of a timeout after part of an answer.
func noEnd(timeout time.Duration, received int) error {
	return fmt.Errorf("no complete answer in %v, only %d bytes", timeout, received)
}

// isTimeout reports whether err is that of an operation whose deadline passed.
func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// fromConnect is what the errno of the connect call itself means. Most come
// from our own routes, filters and limits.
func fromConnect(errno error) error {
	if checker.IsLocal(errno) {
		return checker.LocalError{Err: errno}
	}
	return fromPeer(errno)
}

// fromPeer is what an error means that came back over the network, without
// what Go wraps around it.
func fromPeer(err error) error {
	if known := ofNetwork(err); known != nil {
		return known
	}
	return err
}

// fromHandshake is what an error of a handshake with config means.
func fromHandshake(err error, config *tls.Config) error {
	meant := fromTLS(err, handshaking)
	if isTimeout(err) || ofNetwork(err) != nil {
		return meant
	}
	return errors.New(withOffer(meant.Error(), err, config))
}

// fromTLS is what an error of a handshake or of a TLS connection means.
func fromTLS(err error, where phase) error {
	if err == nil || isTimeout(err) {
		return err
	}
	if known := ofNetwork(err); known != nil {
		return fmt.Errorf("%w%s", known, where)
	}
	what := "TLS"
	if where == handshaking {
		what = "TLS handshake"
	}
	return fmt.Errorf("%s: %s", what, tlsNoise.Replace(err.Error()))
}

// ofNetwork returns the part of err that the network is the cause of, nil if
// there is none.
func ofNetwork(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrClosed
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return nil
	}
	switch errno {
	case syscall.ECONNREFUSED:
		return ErrRefused
	case syscall.ECONNRESET:
		return ErrReset
	case syscall.EPIPE, syscall.ENOTCONN, syscall.ECONNABORTED:
		return ErrClosed
	case syscall.EHOSTUNREACH:
		return ErrNoRoute
	case syscall.ENETUNREACH:
		// A router reported it; a missing route of our own would have failed
		// connect.
		return ErrUnreachable
	}
	return errno
}

// tlsNoise is what Go's packages put before their words.
var tlsNoise = strings.NewReplacer("tls: ", "", "x509: ", "", "protocol version 300", "protocol version SSL 3.0",
	"protocol version 301", "protocol version TLS 1.0", "protocol version 302", "protocol version TLS 1.1")

// unresolved is what an error of a Resolver means.
func unresolved(host string, err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("resolving %s: %s", host, dns.Err)
	}
	return fmt.Errorf("resolving %s: %w", host, err)
}

// broken is the error of a check that panicked. It is our fault, and it must
// harm no other check.
func broken(panicked any) error {
	return checker.LocalError{Err: fmt.Errorf("the check itself failed: %v", panicked)}
}
