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

// configOptions are how this program reads configurations.
func (d directories) configOptions() conf.Options {
	return conf.Options{
		ValidPattern: validPattern, KnownFacility: logfile.KnownFacility, Refusals: table.Refusals,
		TryOpen: openLog, LogDir: d.logs,
	}
}

// harmless are options that leave no trace: the original creates log files
// while it reads.
func harmless(o conf.Options) conf.Options {
	o.TryOpen = rights.CanAppend
	return o
}

func validPattern(pattern string) error {
	_, err := perlre.Compile(pattern)
	return err
}

// diagnostics are the lines that the original writes about a file that was not
// read: its warnings and, last, the mistake.
func diagnostics(err error) []string {
	problems, ok := errors.AsType[conf.Problems](err)
	if !ok {
		problem, ok := errors.AsType[*conf.Problem](err)
		if !ok {
			return []string{err.Error()}
		}
		problems = conf.Problems{problem}
	}
	return diagnosed(problems)
}

func diagnosed(problems conf.Problems) []string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Diagnostic(os.Getpid()))
	}
	return lines
}

// diagnosis is diagnostics as one text.
func diagnosis(err error) string { return strings.Join(diagnostics(err), "\n") }

// refusal is diagnosis with one line for each problem: a line of the file may be quoted
// with its newline.
func refusal(err error) string {
	lines := diagnostics(err)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "\n", " ")
	}
	return strings.Join(lines, "\n")
}
