package conf

import (
	"strconv"
	"strings"
)

// A line is one line of the file.
type line struct {
	number int
	raw    string // with its newline, if any

	comment bool // the line before is a comment
	block   bool // a block begins before the line, and may have ended
	opens   bool // lenient: the lines behind are of a block that this line does not begin
	breaks  int  // lenient: the line of the block that this line of the first column breaks, 0 for none
}

func (l line) text() string { return strings.TrimSuffix(l.raw, "\n") }

// A section is a virtual= or check= line with the lines of its block, or one global line.
type section struct {
	head    line
	virtual bool
	body    []bodyLine
	end     int // the line that ended the block, or the last one of the file
}

// A bodyLine is a line of a block with a directive.
type bodyLine struct {
	line
	command string // without indentation and comment
	mistake string // the reason why the original would not take the line into the block, "" if it would; mended lines only
}

// A scanner cuts a file into sections. It knows the structure of the lines, not
// their meaning.
type scanner struct {
	lenient  bool // mend common mistakes of indentation, so that the following lines can be read
	sections []section
	open     *section // the block that takes indented lines, nil outside blocks
	last     int      // the section of the last block, -1 for none
	gap      int      // lenient: the empty line that ended the last block
	unknown  *unknown // lenient: the line before, if it is no directive and in the first column
	comment  bool     // the line before is a comment
}

// An unknown is a line that is no directive, in the first column.
type unknown struct {
	section int // of the line itself
	block   int // of the block that it ended, -1 for none
}

// scan returns the sections of a file in its order. Outside blocks, empty lines and
// comments are left out.
func scan(text string, lenient bool) []section {
	s := &scanner{lenient: lenient, last: -1}
	number := 0
	for len(text) > 0 {
		number++
		raw := text
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			raw = text[:i+1]
		}
		text = text[len(raw):]
		s.line(line{number: number, raw: raw})
	}
	for i := range s.sections {
		if s.sections[i].end == 0 {
			s.sections[i].end = number
		}
	}
	return s.sections
}

func (s *scanner) line(l line) {
	text := l.text()
	comment := strings.HasPrefix(trimLeft(text), "#")
	l.comment, s.comment = s.comment, comment
	l.block = s.last >= 0
	broken := -1
	if s.open != nil {
		if comment {
			return
		}
		if command, ok := blockCommand(text); ok {
			s.open.body = append(s.open.body, bodyLine{line: l, command: command})
			return
		}
		if s.lenient && s.mend(l) {
			return
		}
		broken = s.last
		s.close(l)
	} else if s.lenient && !comment && s.continues(l) {
		return
	}
	if trimLeft(text) == "" || comment {
		return
	}
	s.gap = 0
	s.sections = append(s.sections, section{head: l, virtual: s.isVirtual(text)})
	last := &s.sections[len(s.sections)-1]
	switch {
	case last.virtual:
		s.open, s.last = last, len(s.sections)-1
	case s.lenient && trimLeft(text) == text && !known(text, false):
		s.unknown = &unknown{len(s.sections) - 1, broken}
	}
}

// continues takes an indented line into the block that it probably belongs to.
func (s *scanner) continues(l line) bool {
	before := s.unknown
	s.unknown = nil
	return before != nil && s.skip(before, l) || s.gap != 0 && s.resume(l)
}

// skip takes a line with a directive of blocks into the block that an unknown line of the
// first column ended, or that it should have begun: the unknown line is the mistake.
func (s *scanner) skip(before *unknown, l line) bool {
	command, ok := blockCommand(l.text())
	if !ok || !known(command, true) {
		return false
	}
	section := &s.sections[before.section]
	switch {
	case before.block >= 0:
		s.open, s.last = &s.sections[before.block], before.block
		section.head.breaks = s.open.head.number
	case lookup(firstWord(section.head.text())) >= 0:
		return false
	default:
		section.virtual, section.head.opens = true, true
		s.open, s.last = section, before.section
	}
	s.open.body = append(s.open.body, bodyLine{line: l, command: command})
	return true
}

// close ends the block at l.
func (s *scanner) close(l line) {
	s.open.end = l.number
	s.open = nil
	if trimLeft(l.text()) == "" {
		s.gap = l.number
	}
}

// mend takes a line with one to three blanks into the open block if it holds a
// directive of blocks.
func (s *scanner) mend(l line) bool {
	text := trimLeft(l.text())
	if text == l.text() || !known(withoutComment(text), true) {
		return false
	}
	s.open.body = append(s.open.body, bodyLine{
		line: l, command: withoutComment(text),
		mistake: "lines of a block begin with four blanks or a tab",
	})
	return true
}

// resume opens the last block again for an indented line after an empty one.
func (s *scanner) resume(l line) bool {
	command, ok := blockCommand(l.text())
	if !ok || trimLeft(command) == "" {
		return false
	}
	if s.isVirtual(command) {
		return false
	}
	s.open = &s.sections[s.last]
	s.open.body = append(s.open.body, bodyLine{
		line: l, command: command,
		mistake: "line " + strconv.Itoa(s.gap) + " is empty and ended the block of line " + strconv.Itoa(s.open.head.number) + ": remove it or make it a comment",
	})
	s.gap = 0
	return true
}

// isVirtual reports whether a global line opens a block; for a lenient scanner also
// a line that is indented, misspelt or lacks its "=".
func (s *scanner) isVirtual(text string) bool {
	name, _, equals := splitDirective(text)
	if s.lenient {
		name, equals = nearest(trimLeft(text)), true
	}
	return beginsBlock(name) && equals
}

func isVirtual(name string) bool { return name == "virtual" || name == "virtual6" }

// mended splits a virtual line with a mistake.
func mended(text string) (name, value string) {
	text = trimLeft(text)
	name = nearest(text)
	if i := strings.IndexAny(text, blanks+"="); i >= 0 {
		value = strings.TrimLeft(text[i:], blanks+"=")
	}
	return name, value
}

// blockCommand returns the directive in a line of a block, and whether the line
// belongs to the block at all: after replacing each tab by four blanks it needs
// four blanks and a character behind them. A fifth blank is such a character.
func blockCommand(text string) (command string, ok bool) {
	text = withoutComment(text)
	command = strings.TrimLeft(text, " \t")
	blanks := text[:len(text)-len(command)]
	indent := len(blanks) + 3*strings.Count(blanks, "\t")
	if command == "" {
		return " ", indent > 4
	}
	return strings.ReplaceAll(command, "\t", "    "), indent >= 4
}

// withoutComment cuts a line of a block at its first "#", also inside quotes.
func withoutComment(text string) string {
	before, _, _ := strings.Cut(text, "#")
	return before
}

// splitDirective splits "name = value". ok is false without a "=".
func splitDirective(text string) (name, value string, ok bool) {
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	value, ok = strings.CutPrefix(trimLeft(text[end:]), "=")
	return text[:end], trimLeft(value), ok
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
}

// blanks is Perl's \s.
const blanks = " \t\n\v\f\r"

func trimLeft(s string) string { return strings.TrimLeft(s, blanks) }

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }
