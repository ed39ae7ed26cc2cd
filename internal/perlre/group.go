package perlre

import (
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// refusedGroups are the beginnings of groups without a meaning in a search of bytes
// by another engine than Perl's.
var refusedGroups = []struct {
	begins, why string
}{
	{"(*", "verbs and assertions in words are not supported"},
	{"(?{", "code in a pattern is not supported"},
	{"(??{", "code in a pattern is not supported"},
	{"(?|", "branch reset is not supported"},
	{"(?R", "recursion is not supported"},
	{"(?&", "recursion is not supported"},
	{"(?P>", "recursion is not supported"},
	{"(?(R", "recursion is not supported"},
	{"(?(DEFINE", "recursion is not supported"},
	{"(?(?{", "code in a pattern is not supported"},
	{"(?[", "extended character classes are not supported"},
}

// openGroup reads a construct that begins with a parenthesis.
func (t *translator) openGroup() error {
	rest := t.src[t.pos:]
	for _, refused := range refusedGroups {
		if strings.HasPrefix(rest, refused.begins) {
			return fmt.Errorf("%s", refused.why)
		}
	}
	for _, same := range []string{"(?:", "(?=", "(?!", "(?<=", "(?<!"} {
		if t.has(same) {
			t.push(same, ")")
			return nil
		}
	}
	switch {
	case t.has("(?>"):
		t.push(atomicBegins, atomicEnds)
		return nil
	case t.has("(?#"):
		_, err := t.until(")")
		return err
	case t.has("(?("):
		return t.condition()
	case t.has("(?<"), t.has("(?P<"):
		return t.openNamed(">")
	case t.has("(?'"):
		return t.openNamed("'")
	case t.has("(?P="):
		return t.namedReference(")")
	case t.has("(?"):
		return t.modifiers()
	}
	t.pos++
	if t.flags.n {
		t.push("(?:", ")")
		return nil
	}
	t.captures++
	t.push("(", ")")
	return nil
}

// push opens a group and records its end.
func (t *translator) push(begins, ends string) {
	t.open = append(t.open, group{start: len(t.out), ends: ends, flags: t.flags})
	t.write(begins)
	t.atom = noAtom
}

// closeGroup reads a closing parenthesis. A quantifier may then repeat the whole
// group.
func (t *translator) closeGroup() error {
	if len(t.open) == 0 {
		return fmt.Errorf("this parenthesis was not opened")
	}
	g := t.open[len(t.open)-1]
	t.open = t.open[:len(t.open)-1]
	t.pos++
	t.write(g.ends)
	t.atom, t.flags = g.start, g.flags
	return nil
}

// openNamed reads the name of a capture. It becomes an ordinary one, because
// .NET would number it after all others.
func (t *translator) openNamed(end string) error {
	name, err := t.until(end)
	if err != nil {
		return err
	}
	if !isName(name) {
		return fmt.Errorf("%s is no name", safetext.Excerpt(name))
	}
	t.captures++
	if _, ok := t.names[name]; ok {
		return fmt.Errorf("two captures with the same name are not supported")
	}
	t.names[name] = t.captures
	t.push("(", ")")
	return nil
}

// isName reports whether s is a valid name of a capture.
func isName(s string) bool {
	if s == "" || '0' <= s[0] && s[0] <= '9' {
		return false
	}
	for _, c := range []byte(s) {
		if !wordBytes.has(c) {
			return false
		}
	}
	return true
}

// condition reads (?(1)yes|no), (?(<name>)yes|no), and (?(?=x)yes|no) with any
// assertion.
func (t *translator) condition() error {
	if t.src[t.pos:] == "" || strings.HasPrefix(t.src[t.pos:], "?") {
		// The assertion is the next element, with a parenthesis of its own.
		t.pos--
		t.push("(?", ")")
		return nil
	}
	of, err := t.until(")")
	if err != nil {
		return err
	}
	capture := number(of, 0)
	if !isNumber(of) {
		capture = t.names[strings.Trim(of, "<>'")]
	}
	if capture < 1 || capture > t.captures {
		return fmt.Errorf("%s is no earlier capture", safetext.Excerpt(of))
	}
	t.push(fmt.Sprintf("(?(%d)", capture), ")")
	return nil
}

// modifiers reads (?i), (?i-m:...), (?^i) and their like.
func (t *translator) modifiers() error {
	new, on := t.flags, true
	if t.has("^") {
		new = flags{}
	}
	if into := strings.TrimLeft(t.src[t.pos:], "+-"); into != "" && isNumber(into[:1]) {
		return fmt.Errorf("recursion is not supported")
	}
	for t.pos < len(t.src) {
		c := t.src[t.pos]
		t.pos++
		switch c {
		case '-':
			on = false
		case ':':
			t.push("(?"+new.String()+":", ")")
			t.flags = new
			return nil
		case ')':
			t.out = fmt.Appendf(t.out, "(?%s)", new)
			t.atom, t.flags = noAtom, new
			return nil
		default:
			if err := new.set(c, on); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("the modifiers do not end")
}

// set turns one modifier on or off.
func (f *flags) set(c byte, on bool) error {
	switch c {
	case 'i':
		f.i = on
	case 'm':
		f.m = on
	case 's':
		f.s = on
	case 'n':
		f.n = on
	case 'x':
		if on {
			f.x = min(f.x+1, 2)
		} else {
			f.x = 0
		}
	case 'a', 'd', 'p': // subjects are bytes like ASCII, and captures are not returned
	case 'u', 'l':
		return fmt.Errorf("what is received is matched byte by byte, modifier %c is not supported", c)
	default:
		return fmt.Errorf("there is no modifier %s", safetext.Excerpt(string(c)))
	}
	return nil
}
