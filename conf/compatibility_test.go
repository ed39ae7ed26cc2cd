package conf

import (
	"os"
	"strings"
	"testing"
)

// TestCompatibilityHasAllDirectives wants a word on each directive in the tables
// of docs/compatibility.md.
func TestCompatibilityHasAllDirectives(t *testing.T) {
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		first, _, _ := strings.Cut(line[2:], " | ")
		for i, name := range strings.Split(first, "`") {
			if i%2 == 1 {
				said[name] = true
			}
		}
	}
	for _, d := range directives {
		if !said[d.name] {
			t.Errorf("%s is in no table", d.name)
		}
	}
}
