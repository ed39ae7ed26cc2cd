package conf

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCompatibilityHasAllDirectives wants each directive in the tables of
// docs/compatibility.md, with where it is allowed.
func TestCompatibilityHasAllDirectives(t *testing.T) {
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{}
	tables, _, _ := strings.Cut(string(text), "\n## keepalived.conf\n") // whose words are others
	for line := range strings.Lines(tables) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		first, rest, _ := strings.Cut(line[2:], " | ")
		place, _, _ := strings.Cut(rest, " | ")
		for i, name := range strings.Split(first, "`") {
			if i%2 == 1 {
				places[name] = place
			}
		}
	}
	for _, d := range directives {
		want := map[where]string{outside: "G", inBlock: "B", anywhere: "G B"}[d.where]
		if got, ok := places[d.name]; !ok || got != want {
			t.Errorf("the tables have %s allowed at %q, want %q", d.name, got, want)
		}
	}
}

// TestServicesAreDocumented wants each service in the documents for users, in the
// notation that each of them has for the original's and for added ones.
func TestServicesAreDocumented(t *testing.T) {
	for _, document := range []struct{ path, original, added string }{
		{"../README.md", "`%s`", "`%s`"},
		{"../docs/checks.md", "(?m)^\\| .*`%s`.* \\|", "(?m)^\\| \\+ `%s` \\|"},
		{"../ldirectord.cf.example", "(?m)^    # .*\\b%s\\b", "(?m)^    # .*\\+%s\\b"},
		{"../docs/compatibility.md", "", "(?m)^\\| `service` \\|.*`%s`"},
	} {
		text, err := os.ReadFile(document.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range services {
			pattern := document.original
			if s.Added {
				pattern = document.added
			}
			if s.Name != "none" && pattern != "" && !regexp.MustCompile(fmt.Sprintf(pattern, s.Name)).Match(text) {
				t.Errorf("%s does not have the service %s", document.path, s.Name)
			}
		}
	}
}

var (
	heading    = regexp.MustCompile(`^### (.+)`)
	difference = regexp.MustCompile(`^(\d+)\. `)
	reference  = regexp.MustCompile(`\[(\d+(?:, \d+)*)\]\(#([a-z-]+)\)`)
	unlinked   = regexp.MustCompile(`[a-z] \(\d+\) \|`)
)

// TestCompatibilityNumbers wants each number of docs/compatibility.md to be that of
// one difference, and each reference to lead to the section that has it.
func TestCompatibilityNumbers(t *testing.T) {
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	section, sections := "", map[string]string{}
	for line := range strings.Lines(string(text)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			section = strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")
		}
		m := difference.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if before, taken := sections[m[1]]; taken {
			t.Errorf("%s is a difference of section %s and another one of section %s", m[1], before, section)
		}
		sections[m[1]] = section
	}
	if len(sections) < 50 {
		t.Fatalf("only %d differences were found", len(sections))
	}
	for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
		for number := range strings.SplitSeq(m[1], ", ") {
			if sections[number] != m[2] {
				t.Errorf("%s leads to section %s, the number is in %s", m[0], m[2], cmp.Or(sections[number], "none"))
			}
		}
	}
	if bare := unlinked.FindString(string(text)); bare != "" {
		t.Errorf("%q is a number without a link", bare)
	}
	for file, number := range numbersElsewhere(t) {
		if sections[number] == "" {
			t.Errorf("%s refers to difference %s, there is none", file, number)
		}
	}
}

var elsewhere = regexp.MustCompile(`compatibility(?:\.md)?,? (\d+)\b`)

// numbersElsewhere are the numbers that other documents and the code refer to, by
// document, and the numbers in the names of files.
func numbersElsewhere(t *testing.T) map[string]string {
	numbers := map[string]string{}
	for _, pattern := range []string{"../*", "../docs/*.md", "../*/*.go", "../internal/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(files))
		}
		files = slices.DeleteFunc(files, func(file string) bool {
			info, err := os.Stat(file)
			return err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20
		})
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range elsewhere.FindAllStringSubmatch(string(text), -1) {
				numbers[file+": "+m[0]] = m[1]
			}
		}
	}
	named, err := filepath.Glob("../internal/original/testdata/differs-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range named {
		numbers[file] = strings.Split(filepath.Base(file), "-")[1]
	}
	return numbers
}
