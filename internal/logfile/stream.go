package logfile

import (
	"bytes"
	"io"
)

// A stream is the sink that is somebody else's: standard output or error.
type stream struct{ w io.Writer }

// write implements sink.
func (s stream) write(lines [][]byte) error {
	_, err := s.w.Write(bytes.Join(lines, nil))
	return err
}

func (stream) reopen() {}
func (stream) close()  {}
