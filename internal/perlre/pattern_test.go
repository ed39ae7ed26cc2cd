package perlre

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A patternCase is one pattern and one input of testdata/perl.txt.
type patternCase struct {
	line           int
	pattern, input string
	want           string // "+" matches, "-" does not, "E" is refused
}

// readPatterns reads testdata/perl.txt, whose head says how it looks.
func readPatterns(tb testing.TB) []patternCase {
	tb.Helper()
	text, err := os.ReadFile("testdata/perl.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var cases []patternCase
	pattern := ""
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case line[0] != '\t':
			pattern = goText(tb, i+1, line)
		default:
			want, input, _ := strings.Cut(line[1:], " ")
			cases = append(cases, patternCase{i + 1, pattern, goText(tb, i+1, input), want})
		}
	}
	return cases
}

// goText is s, in Go's notation if it is in double quotes.
func goText(tb testing.TB, line int, s string) string {
	tb.Helper()
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	text, err := strconv.Unquote(s)
	if err != nil {
		tb.Fatalf("perl.txt:%d: %v", line, err)
	}
	return text
}

// verdict is what this package says of a case.
func (c patternCase) verdict(tb testing.TB) string {
	tb.Helper()
	p, err := Compile(c.pattern)
	if err != nil {
		return "E"
	}
	matches, err := p.Match([]byte(c.input))
	switch {
	case err != nil:
		tb.Errorf("perl.txt:%d: Match: %v", c.line, err)
		return ""
	case matches:
		return "+"
	}
	return "-"
}

func TestPatternAgreesWithPerl(t *testing.T) {
	cases := readPatterns(t)
	patterns := map[string]bool{}
	for i, perl := range askPerl(t, cases) {
		c := cases[i]
		patterns[c.pattern] = true
		if perl != c.want {
			t.Errorf("perl.txt:%d: /%s/ on %q: perl says %s, the file %s", c.line, c.pattern, c.input, perl, c.want)
		}
		if got := c.verdict(t); got != perl {
			t.Errorf("perl.txt:%d: /%s/ on %q: got %s, perl says %s", c.line, c.pattern, c.input, got, perl)
		}
	}
	if len(patterns) < 110 {
		t.Errorf("only %d patterns are compared, want at least 110", len(patterns))
	}
}

// askPerl runs the cases through the perl of this machine.
func askPerl(t *testing.T, cases []patternCase) []string {
	t.Helper()
	var in bytes.Buffer
	for _, c := range cases {
		fmt.Fprintf(&in, "%x %x\n", c.pattern, c.input)
	}
	cmd := exec.CommandContext(t.Context(), "perl", "testdata/match.pl")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking perl: %v", err)
	}
	answers := strings.Fields(strings.NewReplacer("1", "+", "0", "-").Replace(string(out)))
	if len(answers) != len(cases) {
		t.Fatalf("perl answered %d of %d", len(answers), len(cases))
	}
	return answers
}

// What Perl knows and this package refuses, with the words that say so.
func TestPatternRefused(t *testing.T) {
	tests := []struct{ pattern, want string }{
		{`a(?{ print 1 })`, `"(?{ print 1 })" at character 2 of the pattern: code in a pattern is not supported`},
		{`(??{ "a" })`, `"(??{ \"a\" })" at character 1 of the pattern: code in a pattern is not supported`},
		{`(a)(?(?{1})b)`, `"(?(?{1})b)" at character 4 of the pattern: code in a pattern is not supported`},
		{`a(?R)?b`, `"(?R)?b" at character 2 of the pattern: recursion is not supported`},
		{`(a(?1)?b)`, `"(?1)?b)" at character 3 of the pattern: recursion is not supported`},
		{`(a(?-1)?b)`, `"(?-1)?b)" at character 3 of the pattern: recursion is not supported`},
		{`(a)(?+1)(b)`, `"(?+1)(b)" at character 4 of the pattern: recursion is not supported`},
		{`(?<n>a)(?&n)`, `"(?&n)" at character 8 of the pattern: recursion is not supported`},
		{`(?P<n>a)(?P>n)`, `"(?P>n)" at character 9 of the pattern: recursion is not supported`},
		{`(?(DEFINE)a)`, `"(?(DEFINE)a)" at character 1 of the pattern: recursion is not supported`},
		{`(?(R)a)`, `"(?(R)a)" at character 1 of the pattern: recursion is not supported`},
		{`a(*SKIP)b`, `"(*SKIP)b" at character 2 of the pattern: verbs and assertions in words are not supported`},
		{`(*pla:a)`, `"(*pla:a)" at character 1 of the pattern: verbs and assertions in words are not supported`},
		{`(?|(a)|(b))`, `"(?|(a)|(b))" at character 1 of the pattern: branch reset is not supported`},
		{`(?[ [a] ])`, `"(?[ [a] ])" at character 1 of the pattern: extended character classes are not supported`},
		{`(?<n>a)|(?<n>b)`, `"(?<n>b)" at character 9 of the pattern: two captures with the same name are not supported`},
		{`\k<n>(?<n>a)`, `"\\k<n>(?<n>a)" at character 1 of the pattern: there is no such earlier capture`},
		{`\p{Lu}`, `"\\p{Lu}" at character 1 of the pattern: what is received is matched byte by byte, \p is not supported`},
		{`[\P{L}]`, `"[\\P{L}]" at character 1 of the pattern: what is received is matched byte by byte, \P is not supported`},
		{`\X`, `"\\X" at character 1 of the pattern: what is received is matched byte by byte, \X is not supported`},
		{`\N{U+20AC}`, `"\\N{U+20AC}" at character 1 of the pattern: what is received is matched byte by byte, characters of Unicode are not supported`},
		{`\x{20ac}`, `"\\x{20ac}" at character 1 of the pattern: what is received is matched byte by byte, there is no character 0x20ac`},
		{`\400`, `"\\400" at character 1 of the pattern: what is received is matched byte by byte, there is no character 0x100`},
		{`a\b{wb}`, `"\\b{wb}" at character 2 of the pattern: the boundaries of Unicode are not supported`},
		{`(?u)a`, `"(?u)a" at character 1 of the pattern: what is received is matched byte by byte, modifier u is not supported`},
		{`(?l:a)`, `"(?l:a)" at character 1 of the pattern: what is received is matched byte by byte, modifier l is not supported`},
		{`a{3,2}`, `"{3,2}" at character 2 of the pattern: can never match: at least 3 and at most 2`},

		// Perl only warns of these, and they are mistakes.
		{`(?(7)a)`, `"(?(7)a)" at character 1 of the pattern: "7" is no earlier capture`},
		{`\x{zz}`, `"\\x{zz}" at character 1 of the pattern: "zz" is no number`},
		{`\o{9}`, `"\\o{9}" at character 1 of the pattern: "9" is no number`},

		{`(a`, `a parenthesis of the pattern is not closed`},
		{`a)`, `")" at character 2 of the pattern: this parenthesis was not opened`},
		{`+a`, `"+a" at character 1 of the pattern: there is nothing to repeat`},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			_, err := Compile(tt.pattern)
			if err == nil {
				t.Fatal("it is not refused")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("Compile(%q) (-want +got):\n%s", tt.pattern, diff)
			}
		})
	}
}

func TestPatternMust(t *testing.T) {
	for pattern, want := range map[string]string{
		`(?s)<p>.*</html>$`: "</html>",
		`Server: (?:a|b)/1`: "Server: ",
		`abc+d`:             "ab",
		`abc*`:              "ab",
		`a{0}bc`:            "bc",
		`(abc)?x`:           "x",
		`(abc)?`:            "",
		`abc|d`:             "",
		`(?:abc|d)ef`:       "ef",
		`(?i)abc-1`:         "-1",
		`(?i:abc)d`:         "d",
		`(?!abc)x`:          "x",
		`abc\d`:             "abc",
		`(?x)ab c ?`:        "ab",
		`a(?#b)*cd`:         "cd",
	} {
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if string(p.must) != want {
			t.Errorf("every match of /%s/ contains %q, want %q", pattern, p.must, want)
		}
	}
}

func TestPatternPlain(t *testing.T) {
	for pattern, plain := range map[string]bool{
		"": true, "Test Page": true, `a\.b`: true, "(?s)x": true, "(?i)1": true, "(?x) a b": true, "ü/@": true, `\x41`: true,
		"a.b": false, "(?i)x": false, "x$": false, "a|b": false, "(a)": false, "a+": false, "[a]": false, `\d`: false, `\bx`: false,
	} {
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.re == nil; got != plain {
			t.Errorf("Compile(%q) is plain text: %v, want %v", pattern, got, plain)
		}
		if p.String() != pattern {
			t.Errorf("Compile(%q).String() = %q", pattern, p)
		}
	}
	everything, err := Compile("")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"", "x"} {
		if matches, err := everything.Match([]byte(body)); !matches || err != nil {
			t.Errorf("the empty pattern on %q: %v, %v, want a match", body, matches, err)
		}
	}
}

// A pattern that explodes is given up, and the error does not have the text.
func TestPatternGivenUp(t *testing.T) {
	for name, tt := range map[string]struct{ pattern, body string }{
		"too long": {`^(\w+\s?)*$`, strings.Repeat("a", 40) + "secret!"},
		"too deep": {`^(?:ab|cd)*(?:x|yz)`, strings.Repeat("ab", patternStack/2) + "secret!"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "too long" && testing.Short() {
				t.Skip("-short: left out, computes for a second and longer on a busy machine")
			}
			p, err := Compile(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			matches, err := p.Match([]byte(tt.body))
			want := "pattern " + safetext.Excerpt(tt.pattern) + " tries too many ways to match, given up"
			if errors.Is(err, ErrBusy) { // this machine gives the test less than a twentieth of a processor
				return
			}
			if matches || err == nil || err.Error() != want {
				t.Errorf("Match = %v, %v, want the error %s", matches, err, want)
			}
		})
	}
}

// An ordinary page is matched well within the limits.
func TestPatternLargeBody(t *testing.T) {
	body := bytes.Repeat([]byte("<p>line of text, nothing else\n"), 3_000)
	for pattern, want := range map[string]bool{
		`(?i)ERROR|FAIL`: false, `(?:.|\n)*else`: true, `(?s)<p>.*</html>$`: false, `\bnothing\s+else\s*$`: true,
	} {
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Match(body); got != want || err != nil {
			t.Errorf("/%s/ on %d bytes: %v, %v, want %v", pattern, len(body), got, err, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, c := range readPatterns(f) {
		f.Add(c.pattern, []byte(c.input))
	}
	f.Fuzz(func(t *testing.T, perl string, body []byte) {
		p, err := Compile(perl)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("Compile(%q): %q is not one line", perl, err)
			}
			return
		}
		if p.re == nil {
			return
		}
		p.re.MatchTimeout = 20 * time.Millisecond
		before := slices.Clone(body)
		text := make([]rune, 0, len(body))
		for _, c := range body {
			text = append(text, runeOf(c))
		}
		if _, err := p.matchRunes(text, matchPatience.first); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("Match: %q is not one line", err)
		}
		if !bytes.Equal(before, body) {
			t.Errorf("Match changed the body")
		}
	})
}

func BenchmarkPattern(b *testing.B) {
	page := []byte("<html><head><title>Test</title></head><body>" + strings.Repeat("word ", 60) + "OK</body></html>\n")
	for _, pattern := range []string{"OK</body>", `OK.*html>$`, `(?i)ok</BODY>`} {
		b.Run(pattern, func(b *testing.B) {
			p, err := Compile(pattern)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if matches, err := p.Match(page); !matches || err != nil {
					b.Fatal(matches, err)
				}
			}
		})
	}
}

// What can only match in one way from where it begins is judged where it was
// received; the rest might take long.
func TestPatternSlow(t *testing.T) {
	tests := map[string]bool{
		"":                false,
		"plain text":      false,
		"127.0.0.1":       false,
		`^220 .*\.com`:    true,
		`^2\d\d [A-Z]$`:   false,
		"(?i)it works":    false,
		"up|ready":        true,
		"a(b|c)d":         true,
		"(a)(?=b)b":       false,
		"x{3}":            true,
		"(a+)+$":          true,
		"(?:x)?":          true,
		`literal \. \* +`: true,
		`\. \* \+ \| \{`:  false,
	}
	for perl, want := range tests {
		p, err := Compile(perl)
		if err != nil {
			t.Errorf("%q: %v", perl, err)
		} else if p.Slow() != want {
			t.Errorf("%q: Slow is %v, want %v", perl, p.Slow(), want)
		}
	}
	if (*Pattern)(nil).Slow() {
		t.Error("no pattern is slow")
	}
}
