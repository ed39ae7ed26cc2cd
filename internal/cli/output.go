package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// An output is the standard output of a command. It keeps the first error, and writes
// nothing behind it: commands need not look at each write.
type output struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		o.err = fmt.Errorf("writing to standard output: %w", err)
	}
	return n, o.err
}

// end is the exit status of a command whose status is known but for its output. What could
// not be written makes a success a failure. A command that has failed keeps its status, as
// does status, whose 3 is an answer of its own.
func (o *output) end(status int, is func(command string) bool, stderr io.Writer) int {
	if o.err == nil || status != exitOK && status != exitPlanned || status == exitStopped && is("status") {
		return status
	}
	fmt.Fprintln(stderr, o.err)
	return exitFailed
}

// unwrapped is standard output itself, for what handles its errors: a log, or a terminal.
func unwrapped(stdout io.Writer) io.Writer {
	if o, ok := stdout.(*output); ok {
		return o.to
	}
	return stdout
}
