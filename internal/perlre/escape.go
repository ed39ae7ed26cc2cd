package perlre

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// controlEscapes are the letters for single control characters.
var controlEscapes = map[byte]byte{'a': '\a', 'e': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// assertions are the escapes that match between two bytes. \G is the end of an
// earlier match, which never exists here; \K changes only the reported part of the
// match.
var assertions = map[byte]string{
	'A': `\A`, 'Z': `\Z`, 'z': `\z`, 'b': `\b`, 'B': `\B`, 'G': `\A`, 'K': `(?:)`,
}

// lineBreak is \R: a line end of any kind, taken whole.
const lineBreak = `(?>\r\n|[\n\v\f\r\uF785])`

// escape reads a backslash and its operand, outside of a class.
func (t *translator) escape() error {
	c, err := t.escaped()
	if err != nil {
		return err
	}
	if set, ok := setEscapes[c]; ok {
		t.write(set.String())
		return nil
	}
	if '1' <= c && c <= '9' {
		return t.digits()
	}
	if b, ok, err := t.code(c); ok || err != nil {
		if err == nil {
			t.literal(b)
		}
		return err
	}
	switch c {
	case 'R':
		t.write(lineBreak)
		return nil
	case 'N':
		t.write(`[^\n]`)
		return nil
	case 'g':
		return t.relativeReference()
	case 'k':
		return t.openReference()
	case 'b', 'B':
		if strings.HasPrefix(t.src[t.pos:], "{") {
			return fmt.Errorf("the boundaries of Unicode are not supported")
		}
	}
	if assertion, ok := assertions[c]; ok {
		t.write(assertion)
		return nil
	}
	t.literal(c) // also a letter without a meaning: Perl only warns
	return nil
}

// escaped reads a backslash and the byte after it. It refuses escapes that need
// Unicode: the match is byte by byte.
func (t *translator) escaped() (byte, error) {
	if t.pos+1 == len(t.src) {
		return 0, fmt.Errorf("the backslash is the last character")
	}
	c := t.src[t.pos+1]
	t.pos += 2
	if c == 'p' || c == 'P' || c == 'X' {
		return 0, fmt.Errorf(`what is received is matched byte by byte, \%c is not supported`, c)
	}
	return c, nil
}

// code reads the escapes for one byte, in a class and outside; c follows the
// backslash. ok is false for other escapes.
func (t *translator) code(c byte) (b byte, ok bool, err error) {
	if b, ok := controlEscapes[c]; ok {
		return b, true, nil
	}
	switch c {
	case 'c':
		if t.pos == len(t.src) {
			return 0, false, fmt.Errorf("the control character is missing")
		}
		t.pos++
		return upper(t.src[t.pos-1]) ^ 0x40, true, nil
	case '0':
		t.pos--
		return t.octal()
	case 'x':
		if t.has("{") {
			return t.inBraces(16)
		}
		return oneByte(t.digitsOf("0123456789abcdefABCDEF", 2), 16)
	case 'o':
		if !t.has("{") {
			return 0, false, fmt.Errorf("the brace is missing")
		}
		return t.inBraces(8)
	case 'N':
		return t.named()
	}
	return 0, false, nil
}

// upper is c as a capital if it is a letter.
func upper(c byte) byte {
	if isLetter(c) {
		return c &^ 0x20
	}
	return c
}

// inBraces reads the number of a character up to a closing brace.
func (t *translator) inBraces(base int) (byte, bool, error) {
	digits, err := t.until("}")
	if err != nil {
		return 0, false, err
	}
	digits = strings.ReplaceAll(strings.Trim(digits, " \t"), "_", "")
	return oneByte(digits, base)
}

// named reads \N{U+41}. \N alone is no code, nor is \N{3}, which repeats it.
func (t *translator) named() (byte, bool, error) {
	if !strings.HasPrefix(t.src[t.pos:], "{") {
		return 0, false, nil
	}
	if _, ok := t.braces(); ok {
		return 0, false, nil
	}
	return 0, false, fmt.Errorf("what is received is matched byte by byte, characters of Unicode are not supported")
}

// octal reads up to three digits.
func (t *translator) octal() (byte, bool, error) {
	return oneByte(t.digitsOf("01234567", 3), 8)
}

// oneByte is the byte that digits name.
func oneByte(digits string, base int) (byte, bool, error) {
	n, err := strconv.ParseUint("0"+digits, base, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%s is no number", safetext.Excerpt(digits))
	}
	if n > 0xff {
		return 0, false, fmt.Errorf("what is received is matched byte by byte, there is no character %#x", n)
	}
	return byte(n), true, nil
}

// digitsOf reads at most most of the digits.
func (t *translator) digitsOf(digits string, most int) string {
	start := t.pos
	for t.pos < len(t.src) && t.pos < start+most && strings.IndexByte(digits, t.src[t.pos]) >= 0 {
		t.pos++
	}
	return t.src[start:t.pos]
}

// digits reads \1 to \9, always references, and longer ones, which are octal
// codes unless so many captures have been opened.
func (t *translator) digits() error {
	t.pos--
	start := t.pos
	n := number(t.digitsOf("0123456789", len(t.src)), 0)
	if n <= 9 || n <= t.captures || t.src[start] >= '8' {
		return t.reference(n)
	}
	t.pos = start
	c, _, err := t.octal()
	if err == nil {
		t.literal(c)
	}
	return err
}

// reference writes a back-reference to capture n.
func (t *translator) reference(n int) error {
	if n < 1 || n > t.captures {
		return fmt.Errorf("there is no such earlier capture")
	}
	t.write(fmt.Sprintf(`(?:\%d)`, n))
	return nil
}

// relativeReference reads \g1, \g-1, \g{1}, \g{-1}, \g{name}.
func (t *translator) relativeReference() error {
	if !t.has("{") {
		sign := ""
		if t.has("-") {
			sign = "-"
		}
		return t.referenceTo(sign + t.digitsOf("0123456789", len(t.src)))
	}
	to, err := t.until("}")
	if err != nil {
		return err
	}
	return t.referenceTo(strings.Trim(to, " \t"))
}

// referenceTo writes a reference by number, by relative number, or by name.
func (t *translator) referenceTo(to string) error {
	if back, ok := strings.CutPrefix(to, "-"); ok && back != "" && isNumber(back) {
		return t.reference(t.captures + 1 - number(back, 0))
	}
	if isNumber(to) {
		return t.reference(number(to, 0))
	}
	return t.reference(t.names[to])
}

// openReference reads \k<name>, \k'name' or \k{name}.
func (t *translator) openReference() error {
	for _, quotes := range []string{"<>", "''", "{}"} {
		if t.has(quotes[:1]) {
			return t.namedReference(quotes[1:])
		}
	}
	return fmt.Errorf("the name is missing")
}

// namedReference reads a name up to end.
func (t *translator) namedReference(end string) error {
	name, err := t.until(end)
	if err != nil {
		return err
	}
	return t.reference(t.names[strings.Trim(name, " \t")])
}
