package conf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one mistake in a configuration, or a warning about it.
type Problem struct {
	Path    string // path of the file of Line
	Line    int    // 0 without a line
	Warning bool
	Code    Code   // the kind of the problem
	Text    string // one line, in the original's words where it has any
	Hint    string // the cure, "" if the text is enough

	full string // the original's text, if it has a line end inside
	err  error  // the cause, if there is one to unwrap
}

// Error is the problem in one line, without its hint.
func (p *Problem) Error() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("reading file %s at line %d: %s", p.Path, p.Line, p.Text)
}

// Unwrap returns the cause, for example of an unreadable file.
func (p *Problem) Unwrap() error { return p.err }

// Diagnostic is the original's message about the problem, without the newline at
// its end. It quotes an unknown line of a block with its own newline, so the result
// may be two lines.
func (p *Problem) Diagnostic(pid int) string {
	var b strings.Builder
	if p.Warning {
		b.WriteString("Warning")
	} else {
		b.WriteString("Error")
	}
	fmt.Fprintf(&b, " [%d]", pid)
	if p.Line != 0 {
		fmt.Fprintf(&b, " reading file %s at line %d", p.Path, p.Line)
	}
	b.WriteString(": ")
	if p.full != "" {
		b.WriteString(p.full)
	} else {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Problems are the problems of one configuration. As an error they are the first one
// apart from warnings.
type Problems []*Problem

// Err returns the first problem apart from warnings, nil if there is none.
func (ps Problems) Err() *Problem {
	for _, p := range ps {
		if !p.Warning {
			return p
		}
	}
	return nil
}

// Sort orders the problems by file, those of the file at first before the others, and
// by line.
func (ps Problems) Sort(first string) {
	slices.SortStableFunc(ps, func(a, b *Problem) int {
		if (a.Path == first) != (b.Path == first) {
			if a.Path == first {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
}

// Error is the text of the first problem apart from warnings.
func (ps Problems) Error() string {
	if p := ps.Err(); p != nil {
		return p.Error()
	}
	return "no mistakes"
}

// Unwrap returns the first problem apart from warnings, so that errors.As
// finds a *Problem.
func (ps Problems) Unwrap() []error {
	if p := ps.Err(); p != nil {
		return []error{p}
	}
	return nil
}
