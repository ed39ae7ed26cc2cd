package host

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codesOf are the codes of code.go by the names of their constants.
func codesOf(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes[spec.Names[0].Name] = code
		}
		return true
	})
	return codes
}

// TestCodesAreDocumented wants each code once, and a row of it, and of no other, in
// docs/troubleshooting.md.
func TestCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## The doctor's findings\n")
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		rows = append(rows, m[1])
	}
	var codes []string
	for _, code := range codesOf(t) {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	slices.Sort(rows)
	if !slices.Equal(codes, rows) {
		t.Errorf("the codes are %q, and the rows of troubleshooting.md %q", codes, rows)
	}
	if len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("a code is repeated: %q", codes)
	}
}

// TestFindingsHaveTheirCodes: each code is of findings in one place, but for one that two places
// find out in different ways.
func TestFindingsHaveTheirCodes(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "../cli/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || file == "code.go" {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	places := map[string]int{}
	for _, m := range regexp.MustCompile(`(?:c\.add\(|Finding\{Code: host\.|\tCode: host\.)(Code\w+), `).FindAllStringSubmatch(source.String(), -1) {
		places[m[1]]++
	}
	twice := map[string]int{"CodeDirectorStandby": 2} // with and without the other director's address
	for name, code := range codesOf(t) {
		if want := max(1, twice[name]); places[name] != want {
			t.Errorf("%s (%s) is of findings in %d places, want %d", name, code, places[name], want)
		}
	}
}
