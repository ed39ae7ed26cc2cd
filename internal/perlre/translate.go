package perlre

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A translator rewrites a Perl pattern for regexp2, whose language is .NET's: most
// of it is the same, and the differences are written out. All captures become
// numbered ones, in Perl's order.
type translator struct {
	src string // the Perl pattern
	pos int    // the part of src already read

	out      []byte
	atom     int // beginning of the repeatable element in out, or
	flags    flags
	open     []group
	captures int            // opened so far
	names    map[string]int // of captures

	// A pattern of plain text needs no engine, nor does a subject without a text
	// that every match contains, as in Perl.
	isPlain  bool
	plain    []byte
	run      []byte // text outside of all groups, up to here
	must     []byte // the longest such run
	optional bool   // the pattern has alternatives: no run is in every match

	// choices means that a match may have to backtrack; a pattern without
	// repetitions and alternatives never does.
	choices bool
}

// The values of atom without a repeatable element.
const (
	noAtom     = -1 // the beginning of the pattern or of an alternative
	quantified = -2 // a quantifier
)

// A group is a parenthesis that has not been closed.
type group struct {
	start int    // in out
	ends  string // text that closes it
	flags flags
}

// The text around an atomic group: without an assertion behind it, here one always
// true, regexp2 does not try to repeat the group less often.
const (
	atomicBegins = "(?:(?>"
	atomicEnds   = ")(?!(?!)))"
)

// lineBegins is ^ with the flag m: not behind the text's last line end, where .NET
// assumes one more line.
const lineBegins = `(?:\A|^(?!\z))`

// flags are Perl's modifiers in force. Those without an effect on bytes are
// dropped.
type flags struct {
	i, m, s, n bool
	x          int // 2 is xx
}

// String is the flags for regexp2; n and x are implemented here.
func (f flags) String() string {
	on, off := "", ""
	for _, flag := range []struct {
		name string
		on   bool
	}{{"i", f.i}, {"m", f.m}, {"s", f.s}} {
		if flag.on {
			on += flag.name
		} else {
			off += flag.name
		}
	}
	if off == "" {
		return on
	}
	return on + "-" + off
}

// translate rewrites perl.
func translate(perl string) (*translator, error) {
	t := &translator{src: perl, atom: noAtom, names: map[string]int{}, isPlain: true}
	for t.pos < len(t.src) {
		start := t.pos
		if err := t.next(); err != nil {
			return nil, fmt.Errorf("%s at character %d of the pattern: %w", safetext.Excerpt(t.src[start:min(start+16, len(t.src))]), start+1, err)
		}
	}
	if len(t.open) > 0 {
		return nil, fmt.Errorf("a parenthesis of the pattern is not closed")
	}
	t.endRun()
	if t.optional {
		t.must = nil
	}
	return t, nil
}

// next reads and writes one element.
func (t *translator) next() error {
	c := t.src[t.pos]
	if t.flags.x > 0 && t.skipBlank(c) {
		return nil
	}
	switch c {
	case '(':
		return t.openGroup()
	case ')':
		return t.closeGroup()
	case '[':
		return t.class()
	case '\\':
		return t.escape()
	case '*', '+', '?':
		return t.quantifier()
	case '{':
		if _, ok := t.braces(); ok && t.atom != noAtom { // else it is text
			return t.quantifier()
		}
	case '|':
		t.pos++
		t.write("|")
		t.atom = noAtom
		t.optional = t.optional || len(t.open) == 0
		t.choices = true
		return nil
	case '.', '^', '$':
		t.pos++
		if c == '^' && t.flags.m {
			t.write(lineBegins)
			return nil
		}
		t.write(string(c))
		return nil
	}
	t.pos++
	t.literal(c)
	return nil
}

// skipBlank skips blanks and comments under the x flag.
func (t *translator) skipBlank(c byte) bool {
	switch {
	case isBlank(c):
		t.pos++
	case c == '#':
		if end := strings.IndexByte(t.src[t.pos:], '\n'); end >= 0 {
			t.pos += end + 1
		} else {
			t.pos = len(t.src)
		}
	default:
		return false
	}
	return true
}

// isBlank reports whether Perl's \s matches c.
func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// write adds an element that a quantifier may follow.
func (t *translator) write(s string) {
	t.isPlain = false
	t.endRun()
	t.atom = len(t.out)
	t.out = append(t.out, s...)
}

// literal adds the byte c as text.
func (t *translator) literal(c byte) {
	switch {
	case t.flags.i && isLetter(c):
		t.isPlain = false
		t.endRun()
	case len(t.open) == 0:
		t.run = append(t.run, c)
	}
	t.plain = append(t.plain, c)
	t.atom = len(t.out)
	t.out = appendRune(t.out, c)
}

// endRun ends the run and stores it if it is the longest.
func (t *translator) endRun() {
	if len(t.run) > len(t.must) {
		t.must = t.run
	}
	t.run = nil
}

// isLetter reports whether c is a letter of ASCII, the only ones with case.
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// appendRune appends a pattern for exactly the byte c, inside and outside of a
// class.
func appendRune(out []byte, c byte) []byte {
	if isLetter(c) || '0' <= c && c <= '9' {
		return append(out, c)
	}
	return fmt.Appendf(out, `\u%04X`, runeOf(c))
}

// quantifier reads *, +, ? or braces with a suffix: ? is lazy in both languages, +
// is possessive in Perl only and becomes an atomic group.
func (t *translator) quantifier() error {
	switch t.atom {
	case noAtom:
		return fmt.Errorf("there is nothing to repeat")
	case quantified:
		return fmt.Errorf("what is repeated is repeated again")
	}
	repeat := t.src[t.pos : t.pos+1]
	if repeat == "{" {
		count, _ := t.braces()
		if err := count.check(); err != nil {
			return err
		}
		t.pos += count.length
		repeat = count.String()
	} else {
		t.pos++
	}
	t.isPlain, t.choices = false, true
	t.run = t.run[:max(0, len(t.run)-1)] // the repeated byte is optional
	t.endRun()
	t.out = append(t.out, repeat...)
	switch {
	case t.has("?"):
		t.out = append(t.out, '?')
	case t.has("+"):
		repeated := string(t.out[t.atom:])
		t.out = append(t.out[:t.atom], atomicBegins+repeated+atomicEnds...)
	}
	t.atom = quantified
	return nil
}

// has skips s if it is next, and reports whether it was.
func (t *translator) has(s string) bool {
	if !strings.HasPrefix(t.src[t.pos:], s) {
		return false
	}
	t.pos += len(s)
	return true
}

// until returns the text before the next end and skips both.
func (t *translator) until(end string) (string, error) {
	s, _, ok := strings.Cut(t.src[t.pos:], end)
	if !ok {
		return "", fmt.Errorf("%q is missing", end)
	}
	t.pos += len(s) + len(end)
	return s, nil
}

// A count is a quantifier in braces.
type count struct {
	least, most int // most is -1 without a limit
	length      int // in the pattern
}

// maxCount is Perl's limit.
const maxCount = 65534

// check refuses a count that Perl refuses or that can never match.
func (c count) check() error {
	switch {
	case max(c.least, c.most) > maxCount:
		return fmt.Errorf("more than %d repetitions", maxCount)
	case c.most >= 0 && c.least > c.most:
		return fmt.Errorf("can never match: at least %d and at most %d", c.least, c.most)
	}
	return nil
}

func (c count) String() string {
	if c.most < 0 {
		return fmt.Sprintf("{%d,}", c.least)
	}
	return fmt.Sprintf("{%d,%d}", c.least, c.most)
}

// braces parses {n}, {n,}, {n,m} or {,m}, blanks allowed. Any other text in braces
// is literal.
func (t *translator) braces() (c count, ok bool) {
	inside, _, closed := strings.Cut(t.src[t.pos+1:], "}")
	if !closed {
		return count{}, false
	}
	c.length = len(inside) + 2
	least, most, comma := strings.Cut(inside, ",")
	least, most = strings.Trim(least, " \t"), strings.Trim(most, " \t")
	if !isNumber(least) || !isNumber(most) || least+most == "" {
		return count{}, false
	}
	c.least, c.most = number(least, 0), number(most, -1)
	if !comma {
		c.most = c.least
	}
	return c, true
}

// isNumber reports whether s has only digits; it may be empty.
func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// number is s, or empty if s is "". A number beyond Perl's limit stays beyond it.
func number(s string, empty int) int {
	if s == "" {
		return empty
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return maxCount + 1
	}
	return min(n, maxCount+1)
}
