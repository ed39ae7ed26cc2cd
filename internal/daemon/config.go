package daemon

import (
	"errors"
	"os"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/table"
)

// ConfigOptions are the options with which this program reads configurations.
func (d Directories) ConfigOptions() conf.Options {
	return conf.Options{
		ValidPattern: validPattern, KnownFacility: logfile.KnownFacility, Refusals: table.Refusals,
		TryOpen: TryLog, LogDir: d.Logs,
	}
}

// Harmless returns o without side effects: the original creates log files while it reads.
func Harmless(o conf.Options) conf.Options {
	o.TryOpen = rights.CanAppend
	return o
}

func validPattern(pattern string) error {
	_, err := perlre.Compile(pattern)
	return err
}

// diagnostics returns the warnings about a file that could not be read and, last, the
// mistake.
func diagnostics(err error) []string {
	problems, ok := errors.AsType[conf.Problems](err)
	if !ok {
		problem, ok := errors.AsType[*conf.Problem](err)
		if !ok {
			return []string{err.Error()}
		}
		problems = conf.Problems{problem}
	}
	return Diagnosed(problems)
}

// Diagnosed returns problems in the original's words, one line each.
func Diagnosed(problems conf.Problems) []string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Diagnostic(os.Getpid()))
	}
	return lines
}

// Diagnosis returns the lines that the original writes about a file that could not be
// read.
func Diagnosis(err error) string { return strings.Join(diagnostics(err), "\n") }

// refusal is Diagnosis with one line for each problem: the quoted line of the file may
// end with a newline.
func refusal(err error) string {
	lines := diagnostics(err)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "\n", " ")
	}
	return strings.Join(lines, "\n")
}
