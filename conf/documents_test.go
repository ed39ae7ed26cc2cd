package conf

import (
	"io/fs"
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

// TestDocumentsNameWhatExists looks for the tests and files of the program that documents for its
// developers name, and for each package in docs/architecture.md.
func TestDocumentsNameWhatExists(t *testing.T) {
	tests, files := map[string]bool{}, map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files[path], files[strings.TrimPrefix(path, "internal/")] = true, true
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join("..", path))
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+)`|`([a-z/]+/[a-z_]+\\.go)`")
	found := 0
	for _, file := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			if name := m[1]; name != "" && !tests[name] && !strings.HasPrefix(name, "TestSomething") {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
			if path := m[2]; path != "" && !files[path] && !strings.Contains(path, "mqtt") {
				t.Errorf("%s names %s, which does not exist", file, path)
			}
		}
	}
	if found < 20 {
		t.Errorf("the documents name %d tests and files: too few were found", found)
	}
	packages, err := filepath.Glob("../internal/*")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range packages {
		if name := "`internal/" + filepath.Base(dir) + "`"; !strings.Contains(string(text), name) {
			t.Errorf("docs/architecture.md has no %s", name)
		}
	}
}
