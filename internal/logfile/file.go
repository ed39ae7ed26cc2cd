package logfile

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/ldirectord/ldirectord/internal/rights"
)

// A file is the sink that appends to the file that has a path at the
// moment: logrotate may rename it, and its directory may come and go.
type file struct {
	path string
	open *os.File
	was  fs.FileInfo // of open
	torn bool        // the last write ended within a line: the disk is full
}

// write implements sink. Each write looks at the path first. That costs half a
// microsecond (BenchmarkMoved), prevents writes to a file that was moved away, and
// makes a signal unnecessary.
func (f *file) write(lines []line) error {
	if f.open != nil && f.moved() {
		f.close()
	}
	if f.open == nil {
		if err := f.begin(); err != nil {
			return err
		}
	}
	if f.torn {
		lines[0].text = append([]byte{'\n'}, lines[0].text...)
	}
	text := joined(lines)
	n, err := f.open.Write(text)
	if n > 0 {
		f.torn = text[n-1] != '\n'
	}
	mark(lines, n)
	if err != nil {
		f.reopen()
		return fmt.Errorf("writing the log: %w", err)
	}
	return nil
}

func (f *file) begin() error {
	open, err := rights.Append(f.path)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	was, err := open.Stat()
	if err != nil {
		open.Close()
		return fmt.Errorf("opening the log: %w", err)
	}
	f.open, f.was = open, was
	return nil
}

func (f *file) moved() bool {
	now, err := os.Stat(f.path)
	return err != nil || !os.SameFile(now, f.was)
}

// reopen implements sink.
func (f *file) reopen() {
	if f.open != nil {
		f.open.Close()
		f.open = nil
	}
}

// close implements sink.
func (f *file) close() {
	f.reopen()
	f.torn = false
}
