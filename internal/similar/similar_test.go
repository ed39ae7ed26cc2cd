package similar

import "testing"

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b        string
		limit, want int
	}{
		{"real", "real", 3, 0},
		{"raal", "real", 3, 1},
		{"reciev", "receive", 4, 3},
		{"rea", "real", 3, 1},
		{"reall", "real", 3, 1},
		{"", "ab", 3, 2},
		{"", "abcd", 3, 3},
		{"abcdefg", "ab", 3, 3},
	}
	for _, test := range tests {
		if got := Distance(test.a, test.b, test.limit); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestNearest(t *testing.T) {
	commands := []string{"start", "stop", "status", "check", "show", "top", "why"}
	for word, want := range map[string]string{"chek": "check", "statsu": "status", "sotp": "stop", "frob": "", "wy": "", "": ""} {
		if got := Nearest(word, commands); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
