package importer

import (
	"regexp"
	"strings"
)

// A node is a keyword of a keepalived.conf with its words, and its block.
type node struct {
	line  int
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

// A keepalivedScanner makes nodes of lines.
type keepalivedScanner struct {
	root       *node
	stack      []*node
	parameters map[string]string
	made       int // bytes of definitions so far
	depth      int // of definitions now
}

// parseKeepalived reads blocks in braces. Quotes keep words together, "#" and "!"
// outside of them begin comments, and $NAME=VALUE defines $NAME.
func parseKeepalived(text string) *node {
	s := &keepalivedScanner{root: &node{words: []string{""}}, parameters: map[string]string{}}
	s.stack = []*node{s.root}
	number, begin, joined := 0, 0, ""
	for line := range strings.Lines(text) {
		number++
		if joined == "" {
			begin = number
		}
		joined += strings.TrimRight(line, "\r\n")
		if before, ok := strings.CutSuffix(joined, `\`); ok && len(joined) < maxExpanded {
			joined = before + " "
			if definition.MatchString(joined) {
				joined = before + "\n"
			}
			continue
		}
		s.line(begin, joined)
		joined = ""
	}
	s.line(begin, joined)
	return s.root
}

var (
	definition = regexp.MustCompile(`^\s*\$[A-Za-z_][A-Za-z0-9_]*=`)
	parameter  = regexp.MustCompile(`^\$([A-Za-z_][A-Za-z0-9_]*)=((?s:.*))$`)
	wholeLine  = regexp.MustCompile(`^\s*\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))\s*$`)
)

// The bytes that definitions of several lines may make, and how deep one may use another.
const (
	maxDefined = 1 << 20
	maxDepth   = 8
)

// line reads a line. One that is a parameter of several lines stands for these, each of which is
// read as if it were there: it may define parameters, too.
func (s *keepalivedScanner) line(number int, line string) {
	if m := parameter.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
		s.parameters[m[1]] = m[2]
		return
	}
	if m := wholeLine.FindStringSubmatch(line); m != nil && s.depth < maxDepth {
		if value := s.parameters[m[1]+m[2]]; strings.Contains(value, "\n") {
			s.depth++
			for one := range strings.SplitSeq(value, "\n") {
				if s.made <= maxDefined {
					s.line(number, one)
				}
			}
			s.depth--
			return
		}
	}
	s.words(number, line)
}

// tooMuch is the name of the node in place of what definitions would make.
const tooMuch = "what definitions make beyond 1 MiB"

// words reads a line that defines nothing. What definitions would make beyond the limit is left
// out, with a node of its own.
func (s *keepalivedScanner) words(number int, line string) {
	line = s.expand(line)
	if s.depth > 0 {
		before := s.made
		if s.made += len(line) + 1; s.made > maxDefined {
			if before <= maxDefined {
				s.root.block = append(s.root.block, &node{line: number, words: []string{tooMuch}})
			}
			return
		}
	}
	var current *node
	for _, word := range keepalivedWords(line) {
		top := s.stack[len(s.stack)-1]
		switch {
		case word == open:
			if current == nil && len(top.block) > 0 { // the brace has a line of its own
				current = top.block[len(top.block)-1]
			}
			if current != nil {
				s.stack = append(s.stack, current)
			}
			current = nil
		case word == shut:
			s.stack = s.stack[:max(1, len(s.stack)-1)]
			current = nil
		case current == nil:
			current = &node{line: number, words: []string{word}}
			top.block = append(top.block, current)
		default:
			current.words = append(current.words, word)
		}
	}
}

var reference = regexp.MustCompile(`\$(?:\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)`)

// maxExpanded is the longest line that parameters may make.
const maxExpanded = 1 << 14

// expand puts in the values of parameters, which may hold parameters themselves.
// One that was not defined stays.
func (s *keepalivedScanner) expand(line string) string {
	for range 8 {
		expanded := reference.ReplaceAllStringFunc(line, func(word string) string {
			if value, ok := s.parameters[strings.Trim(word, "${}")]; ok {
				return value
			}
			return word
		})
		if expanded == line || len(expanded) > maxExpanded {
			break
		}
		line = expanded
	}
	return line
}

// The braces that open and close a block; a word cannot be one of them.
const open, shut = "\x00{", "\x00}"

// keepalivedWords takes a line apart.
func keepalivedWords(line string) (words []string) {
	var word []byte
	inWord, quoted := false, false
	end := func() {
		if inWord {
			words = append(words, strings.ReplaceAll(string(word), "\x00", ""))
		}
		word, inWord = word[:0], false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line):
			if next := line[i+1]; next != '"' && next != '#' && next != '!' {
				word = append(word, c) // as in a pattern
			}
			i++
			word, inWord = append(word, line[i]), true
		case c == '"':
			quoted, inWord = !quoted, true
		case quoted:
			word = append(word, c)
		case c == '#' || c == '!':
			end()
			return words
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f':
			end()
		case c == '{' && !strings.HasSuffix(string(word), "$"):
			end()
			words = append(words, open)
		case c == '}' && !strings.Contains(string(word), "${"):
			end()
			words = append(words, shut)
		default:
			word, inWord = append(word, c), true
		}
	}
	end()
	return words
}
