package safetext

import (
	"strings"
	"testing"
	"unicode/utf8"
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

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		size int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"aü", 2, "a…"},
		{"東", 1, "…"},
		{"", 0, ""},
	} {
		if got := Cut(tt.in, tt.size); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.in, tt.size, got, tt.want)
		}
	}
}

func TestMessage(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		" a\r\n\tb ":             "a b",
		"a\x00\x1b[1mb":          "a [1mb",
		"ä\xff":                  "ä",
		"\u202egone\u2066 again": "gone again",
		"a\u200bb":               "ab",
		strings.Repeat("x", 300): strings.Repeat("x", 200) + "…",
		strings.Repeat("東", 201): strings.Repeat("東", 200) + "…",
		strings.Repeat("東", 200): strings.Repeat("東", 200),
	} {
		if got := Message(in); got != want {
			t.Errorf("Message(%q) = %q, want %q", in, got, want)
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
		if got := Message(in); strings.ContainsFunc(got, Misleads) || !utf8.ValidString(got) || utf8.RuneCountInString(got) > messageWidth+1 {
			t.Errorf("Message(%q) = %q", in, got)
		}
	})
}
