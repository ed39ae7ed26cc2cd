package conf

import (
	"errors"
	"slices"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// A reporter collects the problems of the lines that are read.
type reporter struct {
	path    string // of the present file
	all     bool   // continue after a mistake, and give advice
	copying bool   // a block is read again, for an also line: a problem is reported once

	problems     Problems
	failed       bool                  // one of them is a mistake
	mistaken     bool                  // a line outside of blocks has one, see block
	mistakes     int                   // how many lines had one, those read again for an also line too
	refusedLines map[position]bool     // lines with a warning of a refusal; nil is none
	written      map[writtenKey]string // numbers that are read as smaller ones; nil is none
}

// A position is a line of a file.
type position struct {
	path string
	line int
}

// stopped reports whether a mistake has ended the parse.
func (r *reporter) stopped() bool { return r.failed && !r.all }

// fail reports err as the mistake of a line with this directive and value, unless
// err is nil. A wrapped cause is a better hint than any other.
func (r *reporter) fail(line int, err error, name, value string) {
	if err == nil {
		return
	}
	pr := &Problem{Path: r.path, Line: line, Code: CodeInvalidValue, Text: err.Error()}
	if kind, ok := errors.AsType[*Problem](err); ok && kind.Code != "" {
		pr.Code = kind.Code
	}
	if cause := errors.Unwrap(err); cause != nil {
		pr.Hint = cause.Error()
	} else {
		pr.Hint = hintOf(name, value)
	}
	r.report(pr)
}

// unknown is the problem of a line without a directive of its place.
func (r *reporter) unknown(l line, b *block, hint string) *Problem {
	pr := &Problem{Path: r.path, Line: l.number, Code: codeOf(l, b != nil), Hint: hint}
	if b == nil {
		pr.Text = "Unknown command " + quotable(l.text())
	} else {
		pr.Text = `Unknown command "` + quotable(l.text()) + `"`
		pr.full = `Unknown command "` + quotable(l.raw) + `"`
	}
	if hint == "" {
		pr.Hint = hintUnknown(l, b != nil)
	}
	return pr
}

func (r *reporter) report(pr *Problem) {
	pr.Text, pr.Hint, pr.full = secret.Hide(pr.Text), secret.Hide(pr.Hint), secret.Hide(pr.full)
	if !r.copying || !r.reported(pr) {
		r.problems = append(r.problems, pr)
	}
	if !pr.Warning {
		r.failed = true
		r.mistakes++
	}
}

// warn reports what the original warns of too, and an invalid pattern, with which
// the original ended at the first check.
func (r *reporter) warn(line int, code Code, text string) {
	r.report(&Problem{Path: r.path, Line: line, Warning: true, Code: code, Text: text})
}

// advise reports a legal line that looks like a mistake. Only "check" prints it.
func (r *reporter) advise(line int, code Code, text, hint string) {
	if r.all {
		r.report(&Problem{Path: r.path, Line: line, Warning: true, Code: code, Text: text, Hint: hint})
	}
}

// reported says whether a problem was reported before.
func (r *reporter) reported(pr *Problem) bool {
	return slices.ContainsFunc(r.problems, func(old *Problem) bool {
		return old.Path == pr.Path && old.Line == pr.Line && old.Warning == pr.Warning && old.Text == pr.Text
	})
}

// refused warns, once for each line, of a value that the kernel refuses. Unlike
// advice it is for start and reload too.
func (r *reporter) refused(line int, text, hint string) {
	r.refusedAt(position{r.path, line}, text, hint)
}

func (r *reporter) refusedAt(at position, text, hint string) {
	if r.refusedLines[at] {
		return
	}
	if r.refusedLines == nil {
		r.refusedLines = make(map[position]bool)
	}
	r.refusedLines[at] = true
	r.report(&Problem{Path: at.path, Line: at.line, Warning: true, Code: CodeKernelRefuses, Text: text, Hint: hint})
}

// because is an error with its own text that wraps its cause.
func because(code Code, cause error, text string) error {
	return &Problem{Code: code, Text: text, err: cause}
}

// coded is an error with a code other than CodeInvalidValue.
func coded(code Code, text string) error { return &Problem{Code: code, Text: text} }

// codeOf is the code of a line that is no directive of its place.
func codeOf(l line, block bool) Code {
	body := trimLeft(l.text())
	name, _, _ := splitDirective(body)
	row := lookup(name)
	switch {
	case isCheckBlock(name) && block:
		return CodeMisplacedDirective
	case beginsBlock(name), name == "" && (body == "" || !isAlnum(body[0])):
		return CodeMalformedLine
	case row < 0:
		return CodeUnknownDirective
	case !directives[row].allowed(block):
		return CodeMisplacedDirective
	}
	return CodeMalformedLine
}
