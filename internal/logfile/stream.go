package logfile

import "io"

// A stream is a sink that the daemon did not open: standard output or error.
type stream struct{ w io.Writer }

// write implements sink.
func (s stream) write(lines []line) error {
	n, err := s.w.Write(joined(lines))
	mark(lines, n)
	return err
}

func (stream) reopen() {}
func (stream) close()  {}
