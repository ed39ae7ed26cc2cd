package conf

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func exampleFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../ldirectord.cf.example")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExampleFile(t *testing.T) {
	c, problems := CheckFile("ldirectord.cf.example", []byte(exampleFile(t)), testOptions())
	for _, p := range problems {
		t.Errorf("%v (%s)", p, p.Hint)
	}
	if c == nil || len(c.Virtuals) != 3 {
		t.Errorf("the example is %+v", c)
	}
}

// shown is a directive that the example shows without setting it.
var shown = regexp.MustCompile(`(?m)^( *)#([a-z0-9]+ *=)`)

// TestExampleValues sets all directives that the example only shows.
func TestExampleValues(t *testing.T) {
	text := shown.ReplaceAllString(exampleFile(t), "$1$2")
	_, problems := CheckFile("ldirectord.cf.example", []byte(text), testOptions())
	for _, p := range problems {
		if !p.Warning {
			t.Errorf("%v (%s)", p, p.Hint)
		}
	}
}

// TestExampleDefaults compares what the example shows as a default with what
// counts when nothing is set. A program for checkcommand is more of an example
// than its default.
func TestExampleDefaults(t *testing.T) {
	bare := shown.ReplaceAllStringFunc(exampleFile(t), func(s string) string {
		d := directives[lookup(strings.Trim(s, " #="))]
		if d.initialize == nil || d.name == "checkcommand" {
			return s
		}
		return strings.Replace(s, "#", "", 1)
	})
	want := startText(exampleFile(t))
	got := startText(bare)
	got = got[strings.Index(got, "tcp:"):] // without the warnings
	want = want[strings.Index(want, "tcp:"):]
	if got != want {
		t.Errorf("with the defaults set:\n%s\nwithout:\n%s", got, want)
	}
}

func TestExampleIsComplete(t *testing.T) {
	text := exampleFile(t)
	for _, d := range directives {
		pattern := `(?m)^ *#?` + d.name + ` *= *[^ ]`
		if strings.HasPrefix(d.help, "gone") {
			pattern = `(?m)^# .*\b` + d.name + `\b` // only to say that they are gone
		}
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s is not in ldirectord.cf.example", d.name)
		}
	}
}
