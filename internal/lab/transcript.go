package lab

import (
	"bytes"
	"io"
	"strings"
)

// A transcript passes on what a test binary prints, line by line, and notes
// what became of the test.
type transcript struct {
	to   io.Writer
	name string // of the test

	ran     bool
	skipped bool
	rest    []byte // the incomplete last line
}

// Write implements io.Writer.
func (s *transcript) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		line, rest, found := bytes.Cut(s.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		s.line(string(line))
		s.rest = rest
	}
}

// line copies one line, unless the run outside prints the same.
func (s *transcript) line(line string) {
	switch {
	case line == "=== RUN   "+s.name, line == s.name: // the latter of a benchmark
		s.ran = true
		return
	case strings.HasPrefix(line, "--- SKIP: "+s.name+" "):
		s.skipped = true
	case line == "PASS", line == "FAIL":
		return
	}
	io.WriteString(s.to, line+"\n") //nolint:errcheck // there is nobody else to tell
}
