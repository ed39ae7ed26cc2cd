package safetext

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"It works!\tGrüße 東京":    "It works!\tGrüße 東京",
		"a\r\nb":                 "a  b",
		"\x1b[31mred\x7f\x00":    " [31mred  ",
		"a\u0085b\u009bc":        "a b c",
		"a\u2028b\u2029c":        "a b c",
		"\u202egone\u2066\u061c": " gone  ",
		"\ufeffa":                " a",
		"latin \xe9":             "latin \xe9",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\r\nb\u202e")
	f.Fuzz(func(t *testing.T, in string) {
		got := Line(in)
		if strings.ContainsFunc(strings.ReplaceAll(got, "\t", ""), Misleads) {
			t.Errorf("Line(%q) = %q", in, got)
		}
		if again := Line(got); again != got {
			t.Errorf("Line(%q) = %q, and of that %q", in, got, again)
		}
	})
}
