package cli

import (
	"strings"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// longestQuote is the length in bytes of a line of a problem's text: a line of the file that it
// quotes has no limit.
const longestQuote = 500

// plainText is a text that may quote a file, for a terminal: no line is longer than
// longestQuote, and no character steers the terminal.
func plainText(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = safetext.Line(safetext.Cut(line, longestQuote))
	}
	return strings.Join(lines, "\n")
}

// diagnosis is the text of an error of a configuration file, for a terminal.
func diagnosis(err error) string { return plainText(daemon.Diagnosis(err)) }
