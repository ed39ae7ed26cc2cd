package safetext

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExcerpt(t *testing.T) {
	tests := []struct {
		name, in, want string
	}{
		{"empty", "", `""`},
		{"plain", "It works!", `"It works!"`},
		{"line ends and quotes", "a \"b\"\r\nc\t\\", `"a \"b\"\r\nc\t\\"`},
		{"control characters", "\x1b[2J\x00\x7f", `"\x1b[2J\x00\x7f"`},
		{"other alphabets", "Grüße 東京", `"Grüße 東京"`},
		{"not utf-8", "a\xff\xc3(", `"a\xff\xc3("`},
		{"right-to-left override", "a\u202eb", `"a\u202eb"`},
		{"exactly as wide as shown", strings.Repeat("x", 60), `"` + strings.Repeat("x", 60) + `"`},
		{"cut", strings.Repeat("x", 61), `"` + strings.Repeat("x", 60) + `…"`},
		{"cut before an escape that would not fit", strings.Repeat("x", 59) + "\n", `"` + strings.Repeat("x", 59) + `…"`},
		{"wide characters are not cut short", strings.Repeat("\U0001f600", 61), `"` + strings.Repeat("\U0001f600", 60) + `…"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Excerpt(tt.in); got != tt.want {
				t.Errorf("Excerpt(%q) = %s, want %s", tt.in, got, tt.want)
			}
			if got := Excerpt([]byte(tt.in)); got != tt.want {
				t.Errorf("Excerpt of bytes %q = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("<html>\r\n"))
	f.Add([]byte{0xff, 0x80, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		got := Excerpt(in)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00\x1b") || utf8.RuneCountInString(got) > excerptWidth+3 {
			t.Errorf("Excerpt(%q) = %s", in, got)
		}
	})
}
