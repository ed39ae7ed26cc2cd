package conf

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var shellLines = map[string]string{
	`b.cf`: "b.cf", `"b.cf"`: "b.cf", `'b.cf'`: "b.cf", `b.cf  `: "b.cf", `"/etc/x y.cf"`: "/etc/x y.cf", `a\ b`: "a b",
	`a.cf b.cf`: "a.cf|b.cf", `a"b"'c'`: "abc", `""`: "", `"a\"\\\x"`: `a"\\x`, `a#b`: "a#b", `a=b~`: "a=b~",
	`'$HOME'`: "$HOME", "b.cf\r": "b.cf",
}

// ShellWords agrees with the shell wherever it returns words.
func TestShellWords(t *testing.T) {
	for line, want := range shellLines {
		words, ok := ShellWords(line)
		if got := strings.Join(words, "|"); !ok || got != want {
			t.Errorf("ShellWords(%q) = %q, %v, want %q", line, words, ok, want)
		}
	}
	for _, line := range []string{"$HOME/b.cf", "`x`", `"$x"`, "a;b", "a&", "*.cf", "a > b", `"a`, "'a", "~/b.cf", "# a", "(a)", `a\`} {
		if words, ok := ShellWords(line); ok {
			t.Errorf("ShellWords(%q) = %q, but only the shell knows", line, words)
		}
	}
}

func FuzzShellWords(f *testing.F) {
	for line := range shellLines {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, ok := ShellWords(line)
		// A carriage return is a blank in a directive and not in the shell.
		if !ok || strings.ContainsAny(line, "\x00\n\r\v\f") || len(words) > 0 && strings.Contains(words[0], "=") {
			return
		}
		out, err := exec.Command("/bin/sh", "-c", `printf '%s\0' `+line).Output()
		if err != nil {
			t.Fatalf("sh does not understand %q: %v", line, err)
		}
		got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		if len(words) == 0 {
			words = []string{""} // printf without arguments
		}
		if !slices.Equal(got, words) {
			t.Errorf("%q is %q to sh and %q here", line, got, words)
		}
	})
}

// The same file in other quotes is one sibling; check says what cannot start.
func TestExecute(t *testing.T) {
	o := testOptions()
	var looked []string
	o.Startable = func(name string) error {
		looked = append(looked, name)
		if name == "missing.cf" {
			return errors.New("Config file missing.cf not found")
		}
		return nil
	}
	text := "execute = \"b.cf\"\nexecute=b.cf\nexecute = 'missing.cf'\nexecute = a.cf # mine\nexecute = a.cf b.cf\nexecute=$X\n"
	c, problems := CheckFile("t.cf", []byte(text), o)
	if c == nil {
		t.Fatal(problems)
	}
	if want := []string{`"b.cf"`, `'missing.cf'`, "a.cf # mine", "a.cf b.cf", "$X"}; !slices.Equal(c.Execute, want) {
		t.Errorf("Execute is %q, want %q", c.Execute, want)
	}
	if want := []string{"b.cf", "b.cf", "missing.cf"}; !slices.Equal(looked, want) {
		t.Errorf("the files %q were looked at, want %q", looked, want)
	}
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if want := []int{3, 4, 5, 6}; !slices.Equal(lines, want) {
		t.Errorf("warnings for the lines %v, want %v: %v", lines, want, problems)
	}
}
