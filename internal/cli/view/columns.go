package view

import (
	"unicode/utf8"

	"github.com/ldirectord/ldirectord/internal/report"
)

// The least widths of the columns of names: those of ipvsadm in tables, an IPv4 address with
// its port on the screen.
const (
	tableName   = 28
	screenReal  = 21
	screenOwner = 18
)

// widest returns the number of columns of the longest text, least if all are shorter.
func widest[T any](least int, list []T, text func(T) string) int {
	for _, v := range list {
		least = max(least, utf8.RuneCountInString(text(v)))
	}
	return least
}

// destinations returns the width of the column of real servers in a table: that of the
// longest address in the kernel.
func destinations(s *report.Snapshot) int {
	width := tableName
	for i := range s.Virtuals {
		width = widest(width, s.Virtuals[i].Reals, func(r report.RealState) string { return r.At })
	}
	return width
}

// fit is text in at most width columns. "…" marks that the end is missing.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	if width < 2 {
		return ""
	}
	return string([]rune(text)[:width-1]) + "…"
}

// fitName is a name in at most width columns. "…" marks what is missing in its middle: names
// of one network differ at their end.
func fitName(name string, width int) string {
	runes := []rune(name)
	if len(runes) <= width {
		return name
	}
	if width < 3 {
		return fit(name, width)
	}
	tail := width * 2 / 3
	return string(runes[:width-1-tail]) + "…" + string(runes[len(runes)-tail:])
}
