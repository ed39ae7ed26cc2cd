package keepalived

import (
	"path/filepath"
	"regexp"
	"strings"
)

// A scanner reads the lines of a keepalived.conf and of the files that it includes:
// conditions, definitions, sequences and lists become the lines that they stand for.
type scanner struct {
	blockScanner
	source      Source
	at          Position
	dir         string // of the file that is read, "" is unknown
	files       int    // that include each other now
	included    int    // bytes of included files
	definitions map[string]string
	multiline   string          // the definition of several lines that is read now, "" is none
	value       strings.Builder // of it
	others      map[string]bool // ids whose lines are left out
	noted       map[Note]bool
	made        int // bytes that definitions have made so far
	depth       int // of definitions now
}

// What definitions may make in bytes, how deep one may use another, and how long a line may become
// by them, which is keepalived's limit.
const (
	maxMade     = 4 << 20
	maxDepth    = 16
	maxExpanded = 1023
)

// Parse reads a file into blocks, which are those of root. The notes are about what no block has.
func Parse(text string, source Source) (root *Node, notes []Note) {
	s := &scanner{
		blockScanner: newBlockScanner(), source: source,
		definitions: map[string]string{"_HASH": "#", "_BANG": "!"}, others: map[string]bool{}, noted: map[Note]bool{},
	}
	if source.Path != "" {
		s.dir = filepath.Dir(source.Path)
	}
	s.file(Position{}, text)
	if open := len(s.stack) - 1; open > 0 {
		s.note(lost(s.at, "%d } are missing at the end", open))
	}
	return s.root, s.notes
}

// note adds a note, once.
func (s *scanner) note(n Note) {
	if !s.noted[n] {
		s.noted[n] = true
		s.notes = append(s.notes, n)
	}
}

// file reads the lines of a file, of which at is the name.
func (s *scanner) file(at Position, text string) {
	s.at = at
	for line := range strings.Lines(text) {
		s.at.Number++
		if len(line) > maxExpanded {
			s.note(lost(s.at, "the line is longer than %d bytes, and keepalived takes what follows for other lines", maxExpanded))
		}
		line = withoutComment(line)
		if s.multiline == "" {
			s.line(line)
			continue
		}
		line, more := strings.CutSuffix(line, `\`)
		s.value.WriteString(strings.TrimRight(line, blanks) + "\n")
		if !more {
			s.endDefinition()
		}
	}
	s.endDefinition()
}

// endDefinition ends a definition of several lines, if there is one.
func (s *scanner) endDefinition() {
	if s.multiline != "" {
		s.definitions[s.multiline] = s.value.String()
		s.multiline = ""
		s.value.Reset()
	}
}

// line reads a line of a file, or one that a definition, sequence or list has made.
func (s *scanner) line(line string) {
	if s.made > maxMade {
		return
	}
	plain := line
	for range maxExpanded { // ends: a line that stays the same is read
		var ok bool
		if line, ok = s.condition(line); !ok || s.define(line) || s.repeat(line) {
			return
		}
		expanded, more := s.expand(line)
		if more != "" {
			s.lines(expanded + more)
			return
		}
		if expanded == line {
			break
		}
		line = withoutComment(expanded)
	}
	if strings.HasSuffix(line, `\`) {
		s.note(lost(s.at, `keepalived joins no lines: outside of definitions the \ is part of the line`))
	}
	s.undefined(line)
	switch pattern := including.FindStringSubmatch(line); {
	case pattern == nil:
		s.read(s.at, line)
	case !including.MatchString(plain):
		s.note(lost(s.at, "%s: keepalived reads no include behind a condition or in a definition as it should; nor is it read here", line))
	default:
		s.include(pattern[1])
	}
}

var including = regexp.MustCompile(`^include[rmwba]?[ \t]+(.*)$`)

// condition returns a line without its @ID. ok is false if the line is one of another ID.
func (s *scanner) condition(line string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(line, "@")
	if !ok {
		return line, true
	}
	end := strings.IndexAny(rest, " \t")
	if end < 0 {
		return "", false
	}
	id, not := strings.CutPrefix(rest[:end], "^")
	if (id == s.source.ID) != not {
		return strings.TrimLeft(rest[end:], blanks), true
	}
	if word := rest[:end]; !s.others[word] {
		s.others[word] = true
		s.note(leftOut(s.at, "lines of @%s are left out: this is the file for @%s, see import --id", word, s.source.ID))
	}
	return "", false
}

var definition = regexp.MustCompile(`^\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$`)

// define reads a definition, which may go on in the lines that follow.
func (s *scanner) define(line string) bool {
	m := definition.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	value, more := strings.CutSuffix(m[2], `\`)
	if more && s.depth == 0 {
		s.multiline = m[1]
		s.value.WriteString(strings.TrimRight(value, blanks) + "\n")
		return true
	}
	s.definitions[m[1]] = value
	return true
}

// lines reads the lines of a definition.
func (s *scanner) lines(text string) {
	if s.depth == maxDepth {
		s.note(lost(s.at, "definitions use each other more than %d times", maxDepth))
		return
	}
	s.depth++
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if s.makes(len(line)) {
			s.line(strings.Trim(line, blanks))
		}
	}
	s.depth--
}

// makes counts what definitions make, and reports whether it is within the limit.
func (s *scanner) makes(bytes int) bool {
	before := s.made
	if s.made += bytes + 32; s.made <= maxMade {
		return true
	}
	if before <= maxMade {
		s.note(lost(s.at, "definitions make more than %d MiB: what follows is left out", maxMade>>20))
	}
	return false
}

// expand puts the values of definitions into a line. A value may have references, too, as those of
// definitions come later. more are the further lines if the last word is a definition of several.
func (s *scanner) expand(line string) (expanded, more string) {
	replaced := 0
	for from := 0; ; {
		i := strings.IndexByte(line[from:], '$')
		if i < 0 {
			return line, ""
		}
		from += i
		name, length := referenceIn(line[from:])
		value, ok := s.valueOf(name)
		first, rest, several := strings.Cut(value, "\n")
		if !ok || several && from+length < len(line) {
			from++
			continue
		}
		if replaced++; replaced > maxExpanded || len(line)-length+len(first) > maxExpanded {
			s.note(lost(s.at, "$%s makes the line longer than the %d bytes that keepalived reads", name, maxExpanded))
			return "", ""
		}
		if !s.makes(len(first)) {
			return "", ""
		}
		line = line[:from] + first + line[from+length:]
		if several {
			return line, "\n" + rest
		}
		if strings.HasPrefix(strings.TrimLeft(first, blanks), "~") {
			return line, ""
		}
	}
}

// referenceIn returns the name of the definition that a text begins with, and the bytes that the reference
// has: ${NAME}, or $NAME before a blank, a comma, a parenthesis or the end. name is "" if there is none.
func referenceIn(text string) (name string, length int) {
	rest, inBraces := strings.CutPrefix(text[1:], "{")
	n := 0
	for n < len(rest) && (rest[n] == '_' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z' || n > 0 && rest[n] >= '0' && rest[n] <= '9') {
		n++
	}
	switch {
	case inBraces && strings.HasPrefix(rest[n:], "}"):
		return rest[:n], len("${") + n + len("}")
	case !inBraces && (n == len(rest) || strings.IndexByte(" \t,)", rest[n]) >= 0):
		return rest[:n], len("$") + n
	}
	return "", 0
}

// valueOf is the value of a definition. ok is false if there is none.
func (s *scanner) valueOf(name string) (value string, ok bool) {
	if value, ok = s.definitions[name]; !ok && name == "_PWD" && s.dir != "" {
		dir, err := filepath.Abs(s.dir)
		return dir, err == nil
	}
	return value, ok
}

var braced = regexp.MustCompile(`\$\{[^}]*\}`)

// undefined notes the first ${NAME} that is not defined. Within quotes it is text.
func (s *scanner) undefined(line string) {
	for _, m := range braced.FindAllStringIndex(line, -1) {
		if strings.Count(line[:m[0]], `"`)%2 == 0 {
			s.note(lost(s.at, "%s is not defined", line[m[0]:m[1]]))
			return
		}
	}
}
