package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
)

// jsonHelp is the help of --json.
const jsonHelp = "one JSON document, for programs: docs/json.md"

// A checkDocument is what check prints with --json, also of a file with mistakes.
type checkDocument struct {
	Config   string            `json:"config"`
	Mistakes int               `json:"mistakes"`
	Warnings int               `json:"warnings"`
	Virtuals int               `json:"virtual_services"` // 0 with mistakes
	Reals    int               `json:"real_servers"`
	Problems []problemDocument `json:"problems"`
}

// A problemDocument is a mistake in a configuration, or a warning about it.
type problemDocument struct {
	Severity string    `json:"severity"` // mistake or warning
	Code     conf.Code `json:"code"`
	File     string    `json:"file"`
	Line     int       `json:"line,omitempty"` // 0 is of the file as a whole
	Message  string    `json:"message"`
	Hint     string    `json:"hint,omitempty"`
}

// A planDocument is what plan prints with --json.
type planDocument struct {
	Config  string           `json:"config"`
	Changes []changeDocument `json:"changes"`
	LeftOut []report.LeftOut `json:"left_out,omitempty"`
}

// A changeDocument is one change of the kernel's table.
type changeDocument struct {
	Code    string `json:"code"`
	Command string `json:"command"` // as ipvsadm takes it
}

// changeCodes are the codes of changes, by ipvsadm's option.
var changeCodes = map[string]string{
	"-A": "add-virtual", "-E": "edit-virtual", "-D": "delete-virtual", "-a": "add-real", "-e": "edit-real", "-d": "delete-real",
}

// A statusDocument is what status prints with --json.
type statusDocument struct {
	Config  string `json:"config"`
	State   string `json:"state"`
	PID     int    `json:"pid,omitempty"`
	PIDFile string `json:"pid_file,omitempty"` // that a dead daemon left
	Message string `json:"message"`
}

// The states of a statusDocument.
const (
	stateRunning = "running"
	stateHanging = "hanging" // it runs, and does not work
	stateStopped = "stopped"
	stateStale   = "stale" // stopped, and its pid file is left
)

// A failureDocument is what a command with --json prints if it cannot do its work.
type failureDocument struct {
	Error errorDocument `json:"error"`
}

type errorDocument struct {
	Code     string            `json:"code"`
	Message  string            `json:"message"`
	Problems []problemDocument `json:"problems,omitempty"` // of the file, with errorMistakes
}

// The codes of an errorDocument.
const (
	errorFailed        = "failed"         // for another reason, see the message
	errorFileNotFound  = "file-not-found" // there is no such configuration file
	errorMistakes      = "mistakes"       // the configuration file has mistakes
	errorNoAnswer      = "no-answer"      // the daemon does not answer in time
	errorBadAnswer     = "bad-answer"     // what listens at the address of a director is another version, or another program
	errorNoRights      = "no-rights"      // this user may not do that
	errorNotConfigured = "not-configured" // the configuration has no such real server or virtual service
	errorNotRunning    = "not-running"    // no daemon, and no dry run
)

// answerJSON prints the document of a command that failed with err, if it is to answer in
// JSON and has not printed one: it has if the error has no text. A wrong command line has no
// document. It returns err.
func answerJSON(s *session, asJSON bool, err error) error {
	if exit, ok := errors.AsType[*daemon.Exit](err); !asJSON || err == nil || err.Error() == "" || ok && exit.Status == exitUsage {
		return err
	}
	d := failureDocument{errorDocument{Code: errorCode(err), Message: err.Error()}}
	if problems, ok := errors.AsType[conf.Problems](err); ok && d.Error.Code == errorMistakes {
		d.Error.Message, d.Error.Problems = problems.Error(), problemDocuments(problems)
	}
	write := printJSON
	if s.jsonLines {
		write = printLine
	}
	if failed := write(s.Stdout, d); failed != nil && !errors.Is(err, failed) {
		return errors.Join(err, failed)
	}
	return err
}

// errorCode is the code of an error for programs.
func errorCode(err error) string {
	problem, _ := errors.AsType[*conf.Problem](err)
	exit, ok := errors.AsType[*daemon.Exit](err)
	switch {
	case ok && exit.Status == exitStopped:
		return errorNotRunning
	case problem != nil && problem.Code == conf.CodeFileNotFound:
		return errorFileNotFound
	case ok && exit.Status == exitConfig:
		return errorMistakes
	case errors.Is(err, report.ErrNotConfigured):
		return errorNotConfigured
	case errors.Is(err, fs.ErrPermission):
		return errorNoRights
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, client.ErrNoContact):
		return errorNoAnswer
	case errors.Is(err, client.ErrNoAnswer):
		return errorBadAnswer
	}
	return errorFailed
}

// problemDocuments are problems for programs.
func problemDocuments(problems conf.Problems) []problemDocument {
	list := []problemDocument{}
	for _, p := range problems {
		d := problemDocument{Severity: "mistake", Code: p.Code, File: p.Path, Line: p.Line, Message: p.Text, Hint: p.Hint}
		if p.Warning {
			d.Severity = "warning"
		}
		list = append(list, d)
	}
	return list
}

// printJSON writes a document on many lines.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(documentTo(w))
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printLine writes a document on one line.
func printLine(w io.Writer, v any) error {
	e := json.NewEncoder(documentTo(w))
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
