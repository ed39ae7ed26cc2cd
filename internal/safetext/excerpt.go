// Package safetext makes text from outside safe for a line of a log, a mail or a
// terminal.
package safetext

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// excerptWidth is the length of an excerpt in characters.
const excerptWidth = 60

// Excerpt returns the beginning of a server's answer for an error: in quotes, on
// one line, valid UTF-8, control characters and invalid bytes escaped, "…" at the
// end of a cut one. It is safe in a log or a mail for any answer.
func Excerpt[T []byte | string](answer T) string {
	// One character more than the width, each of the longest kind.
	rest := string(answer[:min(len(answer), (excerptWidth+1)*utf8.UTFMax)])
	var b strings.Builder
	b.WriteByte('"')
	for width := 0; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		quoted := strconv.Quote(rest[:size])
		char := quoted[1 : len(quoted)-1]
		if width += utf8.RuneCountInString(char); width > excerptWidth {
			b.WriteString("…")
			break
		}
		b.WriteString(char)
		rest = rest[size:]
	}
	b.WriteByte('"')
	return b.String()
}
