package importer

import (
	"slices"
	"strings"
)

// A node is a keyword of a keepalived.conf with its words, and its block.
type node struct {
	line  position
	raw   string // as it is in the file, without its block
	words []string
	block []*node
}

func (n *node) name() string { return n.words[0] }

// word is the i-th word behind the keyword, "" if there is none.
func (n *node) word(i int) string {
	if i+1 < len(n.words) {
		return n.words[i+1]
	}
	return ""
}

// String is the node's line as a note quotes it, without its block.
func (n *node) String() string { return strings.Join(n.words, " ") }

// whole is the node's line with the lines of its block, for notes.
func (n *node) whole() string {
	lines := make([]string, len(n.block))
	for i, c := range n.block {
		lines[i] = c.String()
	}
	return strings.TrimRight(n.String()+" "+strings.Join(lines, ", "), " ")
}

// all is the node's words behind the keyword.
func (n *node) all() string { return strings.Join(n.words[1:], " ") }

// child is the first node of that name in the block, nil if there is none.
func (n *node) child(name string) *node {
	for _, c := range n.block {
		if c.name() == name {
			return c
		}
	}
	return nil
}

// size is the number of nodes in n, with itself.
func (n *node) size() int {
	size := 1
	for _, c := range n.block {
		size += c.size()
	}
	return size
}

// has reports whether n, or a block in it, has a node of that name.
func (n *node) has(name string) bool {
	return slices.ContainsFunc(n.block, func(c *node) bool { return c.name() == name || c.has(name) })
}

// last is the last node of that name in the block, nil if there is none. Of a repeated keyword keepalived
// takes the last.
func (n *node) last(name string) (last *node) {
	for _, c := range n.block {
		if c.name() == name {
			last = c
		}
	}
	return last
}

// blanks separate words.
const blanks = " \t\n\v\f\r"

// A blockScanner makes nodes of lines that have neither comments nor definitions.
type blockScanner struct {
	root  *node
	stack []*node
	notes []note
}

func newBlockScanner() blockScanner {
	root := &node{words: []string{""}}
	return blockScanner{root: root, stack: []*node{root}}
}

// read reads a line: keywords with their words, and braces, which may be anywhere in it.
func (s *blockScanner) read(at position, line string) {
	for line = strings.Trim(line, blanks); line != ""; line = strings.Trim(line, blanks) {
		top := s.stack[len(s.stack)-1]
		switch end := braceIn(line); {
		case end > 0:
			text := strings.TrimRight(line[:end], blanks)
			if words := plainWords(text); len(words) > 0 {
				top.block = append(top.block, &node{line: at, raw: text, words: words})
			}
			line = line[end:]
		case line[0] == '{':
			s.open(at, top)
			line = line[1:]
		default:
			if len(s.stack) == 1 {
				s.notes = append(s.notes, lost(at, "there is a } too much"))
			} else {
				s.stack = s.stack[:len(s.stack)-1]
			}
			line = line[1:]
		}
	}
}

// open begins the block of the last keyword.
func (s *blockScanner) open(at position, top *node) {
	if len(top.block) == 0 {
		s.notes = append(s.notes, lost(at, "there is a { without a keyword"))
		top.block = append(top.block, &node{line: at, words: []string{"{"}})
	}
	s.stack = append(s.stack, top.block[len(top.block)-1])
}

// braceIn is the place of the first brace outside of quotes in a line, its length if there is none.
func braceIn(line string) int {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case '{', '}':
			if !quoted {
				return i
			}
		}
	}
	return len(line)
}

// plainWords takes a line apart as keepalived does for most keywords: double quotes keep a word
// together, and nothing escapes them.
func plainWords(line string) (words []string) {
	for {
		if line = strings.TrimLeft(line, blanks); line == "" {
			return words
		}
		var word string
		if line[0] == '"' {
			var closed bool
			if word, line, closed = strings.Cut(line[1:], `"`); !closed {
				return words
			}
		} else {
			end := strings.IndexAny(line, blanks+`"`)
			if end < 0 {
				end = len(line)
			}
			word, line = line[:end], line[end:]
		}
		words = append(words, word)
	}
}

// withoutComment is a line without blanks around it and without what follows "#" or "!" outside of
// quotes. A backslash at its end stays.
func withoutComment(line string) string {
	line = strings.Trim(line, blanks)
	var text strings.Builder
	quoted, comment, continued := false, false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 == len(line):
			continued = true
			continue
		case c == '\\':
			i++
			if comment {
				continue
			}
			if next := line[i]; quoted || next != '#' && next != '!' {
				text.WriteByte(c)
			}
			c = line[i]
		case c == '"' && !comment:
			quoted = !quoted
		case (c == '#' || c == '!') && !quoted:
			comment = true
		}
		if !comment {
			text.WriteByte(c)
		}
	}
	line = strings.TrimRight(text.String(), blanks)
	if continued {
		line += `\`
	}
	return line
}
