package safetext

import (
	"strings"
	"unicode"
	"unicode/utf8"
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

// Cut returns at most size bytes of text, with "…" behind a cut one. It cuts between
// characters.
func Cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size] + "…"
}

// messageWidth is the length of a message in characters.
const messageWidth = 200

// Message returns the error text of a server or library as a part of a line: its words
// with one blank between them, valid UTF-8, no character that Misleads or that cannot be
// printed, "…" at the end of a cut one.
func Message(text string) string {
	text = text[:min(len(text), (messageWidth+1)*utf8.UTFMax)]
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, Line(strings.Join(strings.Fields(text), " ")))
	text = strings.Join(strings.Fields(text), " ")
	if line := []rune(text); len(line) > messageWidth {
		return string(line[:messageWidth]) + "…"
	}
	return text
}
