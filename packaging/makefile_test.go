// Package packaging has the files installed beside the program, and the tests of
// them and of the Makefile.
package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the module's directory.
const root = ".."

// makeIn runs make in a directory and returns its exit status and output.
func makeIn(t *testing.T, dir string, args ...string) (ok bool, output string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", append([]string{"--no-print-directory"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "VERSION=test")
	out, err := cmd.CombinedOutput()
	return err == nil, string(out)
}

// goTargets returns the targets that "make help" lists and that run Go.
func goTargets(t *testing.T) (targets []string) {
	t.Helper()
	ok, help := makeIn(t, root, "help")
	if !ok {
		t.Fatal(help)
	}
	for line := range strings.Lines(help) {
		target := strings.Fields(line)[0]
		if !strings.Contains(line, target+"  ") {
			t.Errorf("make help: the column is too narrow for %q", target)
		}
		switch target {
		case "help", "install", "uninstall", "clean":
		default:
			targets = append(targets, target)
		}
	}
	return targets
}

// Without a Go that can build the program every target that needs one fails
// with one sentence.
func TestWrongGo(t *testing.T) {
	old := filepath.Join(t.TempDir(), "go")
	// As Go 1.19 of Debian 12.
	script := "#!/bin/sh\n[ \"$1\" = env ] && exec echo go1.19.8\necho 'go: errors parsing go.mod' >&2\nexit 1\n"
	if err := os.WriteFile(old, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ program, want string }{
		"old Go": {old, "is go1.19.8."},
		"no Go":  {"/nonexistent/go", "is not installed."},
	} {
		for _, target := range goTargets(t) {
			t.Run(name+"/"+target, func(t *testing.T) {
				ok, out := makeIn(t, root, target, "GO="+tt.program)
				lines := strings.Split(strings.TrimSpace(out), "\n")
				if ok || len(lines) != 2 || !strings.HasPrefix(lines[0], "ldirectord is built with Go 1.") ||
					!strings.HasSuffix(lines[0], tt.want) || !strings.HasPrefix(lines[1], "make: ***") {
					t.Errorf("passed: %v, want a failure with one sentence that ends in %q:\n%s", ok, tt.want, out)
				}
			})
		}
	}
}

// A target whose Go commands fail before they do anything fails, too.
func TestNothingRan(t *testing.T) {
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	fuzzall, err := os.ReadFile(root + "/internal/fuzzall/main.go")
	if err != nil {
		t.Fatal(err)
	}
	const module, setup = "module broken\n\ngo 1.26\n", "package main\n\nfunc main() {}\n"
	tests := map[string]struct {
		target string
		file   string // of the package
		want   string // in the output
	}{
		"a fuzz test that does not compile":     {"fuzz", "package p\n\nimport \"testing\"\n\nfunc FuzzP(f *testing.F) {\n", "expected '}'"},
		"no fuzz test":                          {"fuzz", "package p\n", "no fuzz target"},
		"a benchmark in a broken module":        {"bench", "package p\n\nimport _ \"broken/nowhere\"\n", "broken/nowhere"},
		"go fix on what cannot be type-checked": {"check", "package p\n\nvar x undefined\n", "undefined"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "no fuzz test" {
				t.Skip("-short: left out, builds")
			}
			dir := t.TempDir()
			for file, text := range map[string]string{
				"Makefile": string(makefile), "go.mod": module, "p_test.go": tt.file, "internal/lab/setup/main.go": setup,
				"internal/fuzzall/main.go": string(fuzzall),
			} {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			// Formatters and linters are not tested, and go vet comes before go fix.
			ok, out := makeIn(t, dir, tt.target, "FUZZTIME=1x", "GOFUMPT=true", "LINT=true", "GO="+withoutVet(t))
			if ok || !strings.Contains(out, tt.want) {
				t.Errorf("make %s passed: %v, want a failure with %q:\n%s", tt.target, ok, tt.want, out)
			}
			if regexp.MustCompile(`(?m)^ok `).MatchString(out) {
				t.Errorf("make %s went on:\n%s", tt.target, out)
			}
		})
	}
}

// withoutVet returns a go command whose vet passes always.
func withoutVet(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n[ \"$1\" = vet ] || exec go \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}
