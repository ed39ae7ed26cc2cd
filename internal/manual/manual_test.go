package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/cli"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// example is ldirectord.cf.example.
const example = "../../ldirectord.cf.example"

var day = time.Date(2026, time.November, 29, 0, 0, 0, 0, time.UTC)

// pages are both pages by the names of their files, made of the rows.
func pages(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	file, err := filePage(day, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"ldirectord.8": commandPage(day), "ldirectord.cf.5": file}
}

// TestMake sees that "make man" writes what the rows give.
func TestMake(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: left out, builds")
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "make", "-C", "../..", "man", "MANPAGES="+dir, "DATE="+day.Format(time.DateOnly))
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make man: %v\n%s", err, out)
	}
	for name, want := range pages(t) {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-rows +make man):\n%s", name, diff)
		}
	}
}

// notInstalled is mandoc's remark about a page that this machine does not have.
var notInstalled = regexp.MustCompile(`mandoc\.db|referenced manual not found`)

// TestLint has mandoc read the pages: it reports nothing, not even a matter of style.
func TestLint(t *testing.T) {
	lab.Need(t, "mandoc")
	for name, text := range pages(t) {
		cmd := exec.CommandContext(t.Context(), "mandoc", "-Tlint")
		cmd.Stdin = strings.NewReader(text)
		out, _ := cmd.CombinedOutput() // its status is that of the worst remark
		for line := range strings.Lines(string(out)) {
			if !notInstalled.MatchString(line) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// shown is a page as a terminal of 80 columns shows it, its words with single blanks.
func shown(t *testing.T, text string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "mandoc", "-Tutf8", "-Owidth=78")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("mandoc: %v", err)
	}
	plain := regexp.MustCompile(".\b").ReplaceAllString(string(out), "")
	for line := range strings.Lines(plain) {
		if width := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 80 {
			t.Errorf("a line of %d columns: %s", width, line)
		}
	}
	return strings.Join(strings.Fields(plain), " ")
}

// wants fails for each text that a page does not have.
func wants(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, strings.Join(strings.Fields(text), " ")) {
			t.Errorf("the page does not have %q", text)
		}
	}
}

// capital is a help text as a sentence.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// TestRows looks for each row of directives, services, check types, commands and options
// in the pages as they are read.
func TestRows(t *testing.T) {
	lab.Need(t, "mandoc")
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	all := pages(t)
	file := shown(t, all["ldirectord.cf.5"])
	for _, d := range conf.Directives() {
		if d.Gone {
			wants(t, file, d.Name+" "+capital(d.Help))
			continue
		}
		line := regexp.MustCompile(`(?m)^ *#?(` + d.Name + ` *=.*)$`).FindStringSubmatch(string(text))
		if line == nil {
			t.Errorf("the example has no %s", d.Name)
			continue
		}
		wants(t, file, fmt.Sprintf("%s = %s %s %s%s. %s", d.Name, d.Value, capital(d.Help), place(d), defaultText(d), line[1]))
	}
	for _, name := range conf.Services() {
		s, _ := conf.LookupService(name)
		wants(t, file, name+" "+serviceText(s))
	}
	for _, c := range conf.CheckTypes() {
		wants(t, file, c.Word+" "+capital(c.Help))
	}
	page := shown(t, all["ldirectord.8"])
	for _, c := range cli.Commands() {
		wants(t, page, c.Usage+" "+capital(c.Summary))
		for _, o := range c.Options {
			wants(t, page, "--"+o.Name, capital(o.Help))
		}
	}
	for _, o := range cli.ProgramOptions() {
		wants(t, page, "--"+o.Name, capital(o.Help))
	}
}

// TestMissingLine sees that a directive without a line in the example is an error.
func TestMissingLine(t *testing.T) {
	if _, err := filePage(day, "### A\n\nvirtual = 192.0.2.1:80\n"); err == nil || !strings.Contains(err.Error(), "there is no line with ") {
		t.Errorf("an example without directives gives %v", err)
	}
}
