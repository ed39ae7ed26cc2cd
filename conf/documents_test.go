package conf

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedFiles reads each configuration in README.md and docs/*.md: a code block that
// begins with a directive. None has a mistake; one without a virtual service gets one.
func TestDocumentedFiles(t *testing.T) {
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	options := testOptions()
	options.LookupReal = func(string, bool, bool) ([]Found, error) { // any name
		return []Found{{Addr: netip.MustParseAddr("192.0.2.99")}}, nil
	}
	read := 0
	for _, file := range append(files, "../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile(`(?m)^\n((?:    .*\n|\n)+)`).FindAllStringSubmatch(string(text), -1) {
			config := strings.TrimSpace(strings.ReplaceAll("\n"+block[1], "\n    ", "\n")) + "\n"
			name, _, equals := splitDirective(strings.SplitN(config, "\n", 2)[0])
			if !equals || !isVirtual(name) && lookup(name) < 0 {
				continue
			}
			if lookup(name) >= 0 && directives[lookup(name)].where == inBlock {
				t.Errorf("%s: a line of a block without its virtual:\n%s", file, config)
			}
			read++
			_, problems := CheckFile(file, []byte(config), options)
			for _, p := range problems {
				if !p.Warning {
					t.Errorf("%s: %v (%s) in\n%s", file, p, p.Hint, config)
				}
			}
		}
	}
	if read < 12 {
		t.Errorf("%d configurations were read, which are too few", read)
	}
}
