package conf

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// A memory is files by path, for a parser.
type memory map[string]string

func (m memory) read(file string) Source {
	text, ok := m[file]
	if !ok {
		return Source{Path: file, Err: &fs.PathError{Op: "open", Path: file, Err: syscall.ENOENT}}
	}
	return Source{Path: file, Text: []byte(text)}
}

func (m memory) match(p Pattern) (paths []string, err error) {
	for file := range m {
		pattern := p.Text
		if !path.IsAbs(pattern) {
			pattern = path.Join(p.Dir, pattern)
		}
		fits, err := path.Match(pattern, file)
		if err != nil {
			return nil, err
		}
		if fits {
			paths = append(paths, file)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// filesOf are the files of an archive; those with a second extension are not.
func filesOf(archive *txtar.Archive) memory {
	m := memory{}
	for _, f := range archive.Files {
		m[f.Name] = string(f.Data)
	}
	return m
}

// TestInclude reads main.cf of each archive in testdata/conf/include. start is what
// start reports and then the configuration, check is what check reports.
func TestInclude(t *testing.T) {
	lab.Cases(t, "../testdata/conf/include/*.txtar", *update, func(t *testing.T, archive *txtar.Archive) {
		m := filesOf(archive)
		for i, f := range archive.Files {
			var got string
			switch f.Name {
			case "start":
				got = includeStart(m)
				if collected := includeStart(collect(m, "main.cf")); collected != got {
					t.Errorf("what was collected reads as\n%s\nwant\n%s", collected, got)
				}
			case "check":
				got = includeCheck(m)
			default:
				continue
			}
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.Name, diff)
			}
		}
	})
}

func includeStart(from files) string {
	c, err := parse(newParser("main.cf", testOptions()).from(from), from.read("main.cf").Text)
	var b strings.Builder
	problems, _ := err.(Problems)
	if err == nil {
		problems = c.Warnings
	}
	for _, p := range problems {
		fmt.Fprintln(&b, p.Diagnostic(1))
	}
	if err == nil {
		printConfig(&b, c)
	}
	return b.String()
}

func includeCheck(from files) string {
	_, problems := check(newParser("main.cf", testOptions()).from(from), from.read("main.cf").Text)
	var b strings.Builder
	for _, p := range problems {
		kind := ""
		if p.Warning {
			kind = "warning: "
		}
		fmt.Fprintf(&b, "%s:%d: %s%s\n", p.Path, p.Line, kind, p.Text)
		if p.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", p.Hint)
		}
	}
	return b.String()
}

// TestIncludeOnDisk has names relative to each including file, files that a pattern
// leaves out, and directories.
func TestIncludeOnDisk(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main[1].cf":        "include = sub/*.cf\ninclude = sub/*/*.cf\n",
		"sub/b.cf":          "checkinterval = 2\n",
		"sub/a.cf":          "include = deeper/plain\n",
		"sub/.hidden.cf":    "frob = 1\n",
		"sub/c.cf~":         "frob = 1\n",
		"sub/d.cf/e.conf":   "frob = 1\n",
		"sub/deeper/plain":  "checkinterval = 3\n",
		"sub/deeper/one.cf": "checktimeout = 4\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nosuch", filepath.Join(dir, "sub/.#a.cf")); err != nil {
		t.Fatal(err)
	}
	s, err := Read(filepath.Join(dir, "main[1].cf"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range s.Files {
		name, _ := filepath.Rel(dir, f.Path)
		got = append(got, name)
	}
	want := []string{"main[1].cf", "sub/a.cf", "sub/deeper/plain", "sub/b.cf", "sub/deeper/one.cf"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the files in order (-want +got):\n%s", diff)
	}
	c, err := s.Parse(testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if c.CheckInterval.Seconds() != 2 || len(c.Warnings) > 0 {
		t.Errorf("checkinterval %v, warnings %v", c.CheckInterval, c.Warnings)
	}
	sum := s.Sum()
	if err := os.WriteFile(filepath.Join(dir, "sub/z.cf"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := Read(filepath.Join(dir, "main[1].cf")); err != nil || s.Sum() == sum {
		t.Errorf("with another file the sum is the same (%v)", err)
	}
}

// TestIncludeUnreadableDir has a directory that cannot be listed: not to know which
// files there are must not look like none.
func TestIncludeUnreadableDir(t *testing.T) {
	if _, err := match(t.TempDir(), strings.Repeat("x", 300)+"/*.cf"); err == nil {
		t.Error("a directory whose name is too long has no files")
	}
}

// FuzzInclude looks for files that include each other and make Parse and Check panic,
// hang, disagree, or forget which file they are in.
func FuzzInclude(f *testing.F) {
	archives, err := filepath.Glob("../testdata/conf/include/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		m := filesOf(archive)
		f.Add(m["main.cf"], m["a.cf"]+m["conf.d/10-a.cf"], m["b.cf"]+m["b/b.cf"])
	}
	f.Fuzz(func(t *testing.T, text, a, b string) {
		m := memory{"main.cf": text, "a.cf": a, "conf.d/10-a.cf": a, "conf.d/20-b.cf": b, "b/b.cf": b}
		main := m.read("main.cf").Text
		c, err := parse(newParser("main.cf", testOptions()).from(m), main)
		if got := includeStart(collect(m, "main.cf")); got != includeStart(m) {
			t.Fatalf("what was collected reads as\n%s\nwant\n%s", got, includeStart(m))
		}
		p := newParser("main.cf", testOptions()).from(m)
		checked, problems := check(p, main)
		if (err == nil) != (checked != nil) || (err == nil) != (problems.Err() == nil) {
			t.Fatalf("Parse says %v, Check says %v", err, problems)
		}
		if p.included > maxIncluded || len(p.including) != 0 {
			t.Fatalf("%d files were included, %d are open", p.included, len(p.including))
		}
		for _, problem := range problems {
			if _, ok := m[problem.Path]; !ok && problem.Path != "main.cf" {
				t.Fatalf("a problem of a file that was not read: %#v", problem)
			}
		}
		if err == nil {
			sane(t, c)
		}
	})
}
