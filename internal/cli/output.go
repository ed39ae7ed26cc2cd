package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/ldirectord/ldirectord/internal/cli/view"
)

// An output is the standard output or the standard error of a command. It keeps the first error, and writes
// nothing behind it: commands need not look at each write.
type output struct {
	to    io.Writer
	err   error
	ascii bool   // it is a terminal, whose locale is not UTF-8
	fold  int    // columns of the terminal, to fold long lines; 0 is none
	json  bool   // a document is written
	rest  []byte // with ascii and fold: the beginning of a character or a line
}

// outputTo is an output to a file or another writer.
func outputTo(w io.Writer) *output {
	return &output{to: w, ascii: isTerminal(w) && !view.IsUTF8(os.Getenv)}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	if !o.ascii && o.fold == 0 {
		return o.write(b)
	}
	text := append(o.rest, b...)
	end := len(text)
	if o.fold > 0 && !o.json {
		end = bytes.LastIndexByte(text, '\n') + 1
	} else {
		for i := 1; i <= min(utf8.UTFMax-1, len(text)); i++ {
			if r := text[len(text)-i]; utf8.RuneStart(r) {
				if !utf8.FullRune(text[len(text)-i:]) {
					end -= i
				}
				break
			}
		}
	}
	o.rest = bytes.Clone(text[end:])
	_, err := o.write([]byte(o.shown(string(text[:end]))))
	return len(b), err
}

// shown is text as the terminal shows it.
func (o *output) shown(text string) string {
	if o.fold > 0 && !o.json {
		var lines strings.Builder
		for line := range strings.Lines(text) {
			body, end := strings.CutSuffix(line, "\n")
			if !strings.HasPrefix(strings.TrimLeft(body, " "), "cure: ") { // it may be a command to copy
				body = view.Fold(body, o.fold)
			}
			if lines.WriteString(body); end {
				lines.WriteByte('\n')
			}
		}
		text = lines.String()
	}
	switch {
	case o.ascii && o.json:
		return view.ASCIIOfJSON(text)
	case o.ascii:
		return view.ASCII(text)
	}
	return text
}

func (o *output) write(b []byte) (int, error) {
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
	if len(o.rest) > 0 && o.err == nil {
		_, _ = o.write([]byte(o.shown(string(o.rest)))) // o.err has the error
	}
	if o.err == nil || status != exitOK && status != exitPlanned || status == exitStopped && is("status") {
		return status
	}
	fmt.Fprintln(stderr, o.err)
	return exitFailed
}

// documentTo is w, for a JSON document.
func documentTo(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		o.json = true
	}
	return w
}

// unwrapped is standard output itself, for what handles its errors: a log, or a terminal.
func unwrapped(stdout io.Writer) io.Writer {
	if o, ok := stdout.(*output); ok {
		return o.to
	}
	return stdout
}
