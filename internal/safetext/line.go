package safetext

import (
	"strings"
	"unicode"
)

// Misleads reports whether r can make a line look like another one in a log, on a
// terminal or on a page: controls of C0 and C1, the ends of lines of Unicode, marks that
// change the direction of writing, and the byte order mark.
func Misleads(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || unicode.Is(unicode.Bidi_Control, r)
}

// Line returns text with a blank in place of each character that Misleads, tabs excepted:
// text from outside can forge no line. Invalid bytes stay.
func Line(text string) string {
	unsafe := func(r rune) bool { return r != '\t' && Misleads(r) }
	if !strings.ContainsFunc(text, unsafe) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if unsafe(r) {
			return ' '
		}
		return r
	}, text)
}
