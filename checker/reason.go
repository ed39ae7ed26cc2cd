package checker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// reason describes in one line, in an administrator's words, why a library failed
// with err. doing names the activity; it is omitted before the first connection.
func (d *dialer) reason(doing string, err error) error {
	d.mu.Lock()
	broken, connected := d.broken, len(d.conns) > 0
	d.mu.Unlock()
	if local, ok := errors.AsType[LocalError](broken); ok { // with more to say than its errno
		return local
	}
	switch {
	case d.ctx.Err() != nil || isTimeout(err) || isTimeout(broken):
		err = noAnswer(d.ctx, d.begin)
	case plain(broken) != nil: // libraries may hide it in their own error
		err = plain(broken)
	case plain(err) != nil:
		err = plain(err)
	default:
		err = errors.New(safetext.Message(innermost(err).Error()))
	}
	switch {
	case IsLocal(err):
		return LocalError{err}
	case !connected && isNoAnswer(err):
		return fmt.Errorf("%w while connecting", err)
	case !connected:
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// A noAnswerError means that the timeout passed before an answer came.
type noAnswerError struct{ timeout time.Duration }

// Error implements error.
func (e noAnswerError) Error() string { return fmt.Sprintf("no answer in %v", e.timeout) }

// noAnswer is the error of a check that began at begin and whose ctx has ended. On
// a busy machine begin is later than the beginning of the timeout, so the duration
// is rounded up.
func noAnswer(ctx context.Context, begin time.Time) error {
	deadline, ok := ctx.Deadline()
	if !ok || errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	timeout, unit := deadline.Sub(begin), 10*time.Millisecond
	if timeout >= time.Second {
		unit = 100 * time.Millisecond
	}
	return noAnswerError{(timeout + unit - 1).Truncate(unit)}
}

func isNoAnswer(err error) bool {
	_, ok := errors.AsType[noAnswerError](err)
	return ok
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// plain returns the part of a network error that an administrator understands, or
// nil.
func plain(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, end) {
			return errors.New("closed the connection")
		}
	}
	if ours, ok := errors.AsType[connError](err); ok {
		return ours
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return nil
}

// innermost unwraps err to the last error: the outer ones of libraries repeat the
// activity, addresses and settings, which the caller reports already.
func innermost(err error) error {
	for {
		switch wrapper := err.(type) { //nolint:errorlint // one step at a time
		case interface{ Unwrap() error }:
			if wrapper.Unwrap() == nil {
				return err
			}
			err = wrapper.Unwrap()
		case interface{ Unwrap() []error }:
			if len(wrapper.Unwrap()) == 0 {
				return err
			}
			err = wrapper.Unwrap()[len(wrapper.Unwrap())-1]
		default:
			return err
		}
	}
}

// recovered turns a panic of a library about the server's bytes into the check's
// error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = errUnclear
	}
}
