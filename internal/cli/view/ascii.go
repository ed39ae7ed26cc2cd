package view

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// IsUTF8 reports whether a terminal shows UTF-8, by the variables of the locale in the environment.
func IsUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// inASCII are the signs of reports for a terminal without UTF-8, each as wide as before.
var inASCII = map[rune]rune{
	'…': '~', 'µ': 'u', '–': '-',
	'●': '*', '✕': 'x', '○': 'o', '≈': '~', '⚒': 'm', '▽': 'v', '⏻': '!', '↪': '>', '▿': 'v', '◌': '.',
}

// ASCII is text for a terminal without UTF-8, with a sign in place of each other character.
func ASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if sign, ok := inASCII[r]; ok {
			return sign
		}
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, text)
}

// ASCIIOfJSON is a JSON text with escaped characters in place of all others. It means the same.
func ASCIIOfJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// Fold breaks a line wider than some columns at blanks, and indents what follows. A longer word stays whole.
func Fold(line string, columns int) string {
	indent := strings.Repeat(" ", min(len(line)-len(strings.TrimLeft(line, " "))+4, columns/2))
	var b strings.Builder
	for {
		end := fitting(line, columns)
		if end == len(line) {
			break
		}
		least := len(line) - len(strings.TrimLeft(line, " "))
		at := strings.LastIndexByte(line[:end+1], ' ') // the blank may be in the column behind the last
		if at <= least {
			next := strings.IndexByte(line[least:], ' ')
			if next < 0 {
				break
			}
			at = least + next
		}
		b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		if line = strings.TrimLeft(line[at:], " "); line == "" {
			return strings.TrimSuffix(b.String(), "\n")
		}
		line = indent + line
	}
	b.WriteString(line)
	return b.String()
}

// fitting is how many bytes of a line fit into a terminal's columns.
func fitting(line string, columns int) int {
	for i, r := range line {
		columns--
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			columns-- // a terminal shows it in two
		}
		if columns < 0 {
			return i
		}
	}
	return len(line)
}
