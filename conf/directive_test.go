package conf

import (
	"slices"
	"strings"
	"testing"
)

// The tables are searched by halves.
func TestTablesAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(directives, func(a, b directive) int { return strings.Compare(a.name, b.name) }) {
		t.Error("directives are not sorted by name")
	}
	if !slices.IsSortedFunc(services, func(a, b service) int { return strings.Compare(a.name, b.name) }) {
		t.Error("services are not sorted by name")
	}
}

// TestDirectivesStandSomewhere makes sure that each row can be reached.
func TestDirectivesStandSomewhere(t *testing.T) {
	for _, d := range directives {
		if d.global == nil && d.block == nil {
			t.Errorf("%s is allowed nowhere", d.name)
		}
		if got, ok := lookup(d.name); !ok || got.name != d.name {
			t.Errorf("%s is not found", d.name)
		}
	}
	for _, name := range []string{"", "virtual", "frobnicate", "zzz"} {
		if d, ok := lookup(name); ok {
			t.Errorf("%q is found as %s", name, d.name)
		}
	}
}

func TestHintName(t *testing.T) {
	for body, want := range map[string]string{
		"receve=\"x\"":    "did you mean receive?",
		"Real = x":        "directives are in lower case: real",
		"Receve = x":      "did you mean receive?",
		"quiecent yes":    "did you mean quiescent?",
		"xyzzy=1":         "",
		"":                "",
		"[section]":       "",
		"fallbck6":        "did you mean fallback6?",
		"checkintervall=": "did you mean checkinterval?",
	} {
		if got := hintName(body); got != want {
			t.Errorf("hintName(%q) = %q, want %q", body, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
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
		if got := editDistance(test.a, test.b, test.limit); got != test.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
