package perlre

import (
	"fmt"
	"strings"
)

// A byteSet is the set of bytes that a character class matches. Since subjects are
// bytes, every class can be enumerated: negation, ranges over 0x80 and Perl's idea
// of a letter are resolved here, not in regexp2.
type byteSet [256]bool

// setOf is the set of the bytes and ranges ("a-z") in spec.
func setOf(spec string) *byteSet {
	var s byteSet
	for i := 0; i < len(spec); i++ {
		last := spec[i]
		if i+2 < len(spec) && spec[i+1] == '-' {
			last = spec[i+2]
		}
		s.addRange(spec[i], last)
		if last != spec[i] {
			i += 2
		}
	}
	return &s
}

func (s *byteSet) has(c byte) bool { return s[c] }

func (s *byteSet) addRange(first, last byte) {
	for c := int(first); c <= int(last); c++ {
		s[c] = true
	}
}

func (s *byteSet) addSet(other *byteSet) {
	for c, in := range other {
		s[c] = s[c] || in
	}
}

// complement is all bytes that are not in s.
func (s *byteSet) complement() *byteSet {
	var not byteSet
	for c, in := range s {
		not[c] = !in
	}
	return &not
}

// fold adds the other case of every letter.
func (s *byteSet) fold() {
	for c := 'A'; c <= 'Z'; c++ {
		both := s[c] || s[c|0x20]
		s[c], s[c|0x20] = both, both
	}
}

// String is s as a class of regexp2.
func (s *byteSet) String() string {
	var ranges []byte
	for first := 0; first < len(s); {
		if !s[first] {
			first++
			continue
		}
		last := first
		// 0x7f and 0x80 are neighbours, their runes are not.
		for last+1 < len(s) && s[last+1] && last != 0x7f {
			last++
		}
		ranges = appendRune(ranges, byte(first))
		if last > first {
			ranges = appendRune(append(ranges, '-'), byte(last))
		}
		first = last + 1
	}
	if len(ranges) == 0 {
		return `(?!)` // a class cannot be empty
	}
	return "[" + string(ranges) + "]"
}

// The bytes that escape letters and POSIX names match.
var (
	digitBytes = setOf("0-9")
	wordBytes  = setOf("0-9A-Z_a-z")
	spaceBytes = setOf("\t-\r ")
	horizontal = setOf("\t \xa0")
	vertical   = setOf("\n-\r\x85")
)

var setEscapes = map[byte]*byteSet{
	'd': digitBytes, 'D': digitBytes.complement(),
	'w': wordBytes, 'W': wordBytes.complement(),
	's': spaceBytes, 'S': spaceBytes.complement(),
	'h': horizontal, 'H': horizontal.complement(),
	'v': vertical, 'V': vertical.complement(),
}

var posixSets = map[string]*byteSet{
	"alnum":  setOf("0-9A-Za-z"),
	"alpha":  setOf("A-Za-z"),
	"ascii":  setOf("\x00-\x7f"),
	"blank":  setOf("\t "),
	"cntrl":  setOf("\x00-\x1f\x7f"),
	"digit":  digitBytes,
	"graph":  setOf("!-~"),
	"lower":  setOf("a-z"),
	"print":  setOf(" -~"),
	"punct":  setOf("!-/:-@[-`{-~"),
	"space":  spaceBytes,
	"upper":  setOf("A-Z"),
	"word":   wordBytes,
	"xdigit": setOf("0-9A-Fa-f"),
}

// class reads a class in brackets.
func (t *translator) class() error {
	var set byteSet
	t.pos++
	negated := t.has("^")
	for first := true; ; first = false {
		if t.pos == len(t.src) {
			return fmt.Errorf("the class is not closed")
		}
		if !first && t.has("]") {
			break
		}
		if c := t.src[t.pos]; t.flags.x == 2 && (c == ' ' || c == '\t') {
			t.pos++
			continue
		}
		if err := t.classRange(&set); err != nil {
			return err
		}
	}
	if t.flags.i {
		set.fold()
	}
	if negated {
		set = *set.complement()
	}
	t.write(set.String())
	return nil
}

// classRange reads one element of a class, or two with a hyphen between, and adds
// their bytes.
func (t *translator) classRange(set *byteSet) error {
	first, few, err := t.classElement()
	if err != nil {
		return err
	}
	if few != nil {
		set.addSet(few)
		return nil
	}
	rest := t.src[t.pos:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' {
		set.addRange(first, first)
		return nil
	}
	t.pos++
	last, few, err := t.classElement()
	switch {
	case err != nil:
		return err
	case few != nil: // [a-\d] is a, hyphen and digits
		set.addRange(first, first)
		set.addRange('-', '-')
		set.addSet(few)
	case first > last:
		return fmt.Errorf("the range in the class is the wrong way round")
	default:
		set.addRange(first, last)
	}
	return nil
}

// classElement reads one element of a class: a byte, or few different ones.
func (t *translator) classElement() (c byte, few *byteSet, err error) {
	switch rest := t.src[t.pos:]; {
	case strings.HasPrefix(rest, "[:"), strings.HasPrefix(rest, "[="), strings.HasPrefix(rest, "[."):
		if few, err := t.posix(); few != nil || err != nil {
			return 0, few, err
		}
	case rest[0] == '\\':
		return t.classEscape()
	}
	t.pos++
	return t.src[t.pos-1], nil, nil
}

// posix reads [:alpha:] or [:^alpha:]; any other bracket is text.
func (t *translator) posix() (*byteSet, error) {
	mark := t.src[t.pos+1 : t.pos+2]
	name, _, closed := strings.Cut(t.src[t.pos+2:], mark+"]")
	word, negated := strings.CutPrefix(name, "^")
	if !closed || !isName(word) {
		return nil, nil
	}
	set, ok := posixSets[word]
	if mark != ":" || !ok {
		return nil, fmt.Errorf("there is no class [%s%s%s]", mark, name, mark)
	}
	t.pos += len(name) + 4
	few := *set
	if t.flags.i && (word == "upper" || word == "lower") {
		few = *posixSets["alpha"]
	}
	if negated {
		few = *few.complement()
	}
	return &few, nil
}

// classEscape reads a backslash and its operand, in a class.
func (t *translator) classEscape() (c byte, few *byteSet, err error) {
	c, err = t.escaped()
	if err != nil {
		return 0, nil, err
	}
	if few, ok := setEscapes[c]; ok {
		return 0, few, nil
	}
	switch {
	case c == 'N' || c == 'R':
		return 0, nil, fmt.Errorf(`\%c cannot stand in a class`, c)
	case c == 'b':
		return '\b', nil, nil
	case '1' <= c && c <= '7':
		t.pos--
		c, _, err = t.octal()
		return c, nil, err
	}
	if b, ok, err := t.code(c); ok || err != nil {
		return b, nil, err
	}
	return c, nil, nil
}
