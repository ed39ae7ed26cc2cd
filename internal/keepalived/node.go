package keepalived

import (
	"iter"
	"strings"
)

// A Node is a keyword of a keepalived.conf with its words, and its block.
type Node struct {
	Line  Position
	Raw   string   // as it is in the file, without its block
	Words []string // the keyword, and its values
	Block []*Node
}

// Name is the keyword.
func (n *Node) Name() string { return n.Words[0] }

// Word is the i-th word behind the keyword, "" if there is none.
func (n *Node) Word(i int) string {
	if i+1 < len(n.Words) {
		return n.Words[i+1]
	}
	return ""
}

// String is the node's line as a note quotes it, without its block.
func (n *Node) String() string { return strings.Join(n.Words, " ") }

// Whole is the node's line with the lines of its block, for notes.
func (n *Node) Whole() string {
	lines := make([]string, len(n.Block))
	for i, c := range n.Block {
		lines[i] = c.String()
	}
	return strings.TrimRight(n.String()+" "+strings.Join(lines, ", "), " ")
}

// All is the node's words behind the keyword.
func (n *Node) All() string { return strings.Join(n.Words[1:], " ") }

// Child is the first node of that name in the block, nil if there is none.
func (n *Node) Child(name string) *Node {
	for _, c := range n.Block {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// Size is the number of nodes in n, with itself.
func (n *Node) Size() int {
	size := 1
	for _, c := range n.Block {
		size += c.Size()
	}
	return size
}

// Within yields the nodes in the block of n and in all blocks of it, each before its own block.
func (n *Node) Within() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.within(yield) }
}

func (n *Node) within(yield func(*Node) bool) bool {
	for _, c := range n.Block {
		if !yield(c) || !c.within(yield) {
			return false
		}
	}
	return true
}

// Has reports whether the block of n, or a block in it, has a node of that name.
func (n *Node) Has(name string) bool {
	for c := range n.Within() {
		if c.Name() == name {
			return true
		}
	}
	return false
}

// Last is the last node of that name in the block, nil if there is none. Of a repeated keyword keepalived
// takes the last.
func (n *Node) Last(name string) (last *Node) {
	for _, c := range n.Block {
		if c.Name() == name {
			last = c
		}
	}
	return last
}

// blanks separate words.
const blanks = " \t\n\v\f\r"

// A blockScanner makes nodes of lines that have neither comments nor definitions.
type blockScanner struct {
	root  *Node
	stack []*Node
	notes []Note
}

func newBlockScanner() blockScanner {
	root := &Node{Words: []string{""}}
	return blockScanner{root: root, stack: []*Node{root}}
}

// read reads a line: keywords with their words, and braces, which may be anywhere in it.
func (s *blockScanner) read(at Position, line string) {
	for line = strings.Trim(line, blanks); line != ""; line = strings.Trim(line, blanks) {
		top := s.stack[len(s.stack)-1]
		switch end := braceIn(line); {
		case end > 0:
			text := strings.TrimRight(line[:end], blanks)
			if words := plainWords(text); len(words) > 0 {
				top.Block = append(top.Block, &Node{Line: at, Raw: text, Words: words})
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
func (s *blockScanner) open(at Position, top *Node) {
	if len(top.Block) == 0 {
		s.notes = append(s.notes, lost(at, "there is a { without a keyword"))
		top.Block = append(top.Block, &Node{Line: at, Words: []string{"{"}})
	}
	s.stack = append(s.stack, top.Block[len(top.Block)-1])
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
