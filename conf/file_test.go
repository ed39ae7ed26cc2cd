package conf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSearch(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, d := range []string{"ha.d/conf", "ha.d/b.cf"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"ha.d/a.cf", "ha.d/conf/a.cf", "a.cf", "ha.d/conf/b.cf", "c.cf"} {
		if err := os.WriteFile(f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"a.cf": "ha.d/a.cf", "b.cf": "ha.d/conf/b.cf", "c.cf": "c.cf", "./a.cf": "ha.d/./a.cf",
	} {
		if got, err := search("ha.d", name); got != want || err != nil {
			t.Errorf("search(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	_, err := Search("nosuch.cf")
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "Config file nosuch.cf not found" {
		t.Errorf("Search of a missing file: %v", err)
	}
	if _, err := search("ha.d", "b.cf/"); err == nil || err.Error() != "Config file ha.d/b.cf/ is not a regular file" {
		t.Errorf("search of a directory: %v", err)
	}
	if _, err := Search("a.cf/b.cf"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Search below a file: %v", err)
	}
}

// TestLoad goes through the machine's own files and names.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.cf")
	text := strings.ReplaceAll(`logfile="DIR/my.log"
maintenancedir=DIR
virtual=127.0.0.1:80
    real=127.0.0.2:80 masq
    service=ftp
    monitorfile=DIR/monitor
`, "DIR", dir)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOSTNAME", "director")
	c, err := Load(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 0 || c.MaintenanceDir != dir || c.Path != path {
		t.Errorf("warnings %v, maintenancedir %q, path %q", c.Warnings, c.MaintenanceDir, c.Path)
	}
	if got := c.Virtuals[0].Passwd; got != "ldirectord@director" {
		t.Errorf("passwd = %q", got)
	}
	for _, f := range []string{"my.log", "monitor"} {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			t.Errorf("not opened while reading: %v", err)
		}
	}
}

func TestLoadMissing(t *testing.T) {
	_, err := Load("/nosuch/t.cf", Options{})
	p, ok := errors.AsType[*Problem](err)
	if !ok || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Load of a missing file: %v", err)
	}
	if got, want := p.Diagnostic(7), "Error [7]: can not open file /nosuch/t.cf"; got != want {
		t.Errorf("Diagnostic = %q, want %q", got, want)
	}
}

// TestOwnNames looks up names that every machine has.
func TestOwnNames(t *testing.T) {
	c, err := Parse("t.cf", []byte("virtual=localhost:80\n    real=localhost:domain masq\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := c.Virtuals[0]
	if !v.Addr.IsLoopback() || v.Reals[0].Port != 53 {
		t.Errorf("localhost:80 is %s, localhost:domain is %s", v, v.Reals[0])
	}
	if port, err := lookupPort("domain", "udp"); port != 53 || err != nil {
		t.Errorf("domain/udp without /etc/services is %d, %v", port, err)
	}
	if port, err := lookupPort("nosuch", "udp"); err == nil {
		t.Errorf("nosuch/udp without /etc/services is %d", port)
	}
}

func TestUnopenable(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"logfile=\"" + dir + "\"\n":                                "unable to open logfile: " + dir,
		"virtual=1\n    monitorfile=" + dir + "\n":                 "unable to open monitorfile " + dir + ": Is a directory",
		"virtual=1\n    monitorfile=" + dir + "/missing/monitor\n": "unable to open monitorfile " + dir + "/missing/monitor: No such file or directory",
	} {
		_, err := Parse("t.cf", []byte(text), Options{})
		if err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	c, err := Parse("t.cf", []byte("maintenancedir="+dir+"/missing\n"), Options{})
	if err != nil || len(c.Warnings) != 1 {
		t.Errorf("missing maintenancedir: %v, %+v", err, c)
	}
}

// TestProblems is about errors as callers use them: the first mistake by
// errors.As, with the warnings before it.
func TestProblems(t *testing.T) {
	_, err := Parse("t.cf", []byte("supervised\n\nvirtual=1\n    frob=1\n"), testOptions())
	problem, ok := errors.AsType[*Problem](err)
	if !ok || problem.Warning || problem.Line != 4 {
		t.Fatalf("the mistake is %+v", problem)
	}
	if got, want := err.Error(), `reading file t.cf at line 4: Unknown command "    frob=1"`; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
	all, _ := errors.AsType[Problems](err)
	var got []string
	for _, p := range all {
		got = append(got, p.Diagnostic(7))
	}
	want := []string{
		"Warning [7] reading file t.cf at line 1: please update your config not to use a bare supervised directive",
		"Error [7] reading file t.cf at line 4: Unknown command \"    frob=1\n\"",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	if err := (Problems{all[0]}).Err(); err != nil {
		t.Errorf("warnings alone are the mistake %v", err)
	}
	if got := all[:1].Error(); got != "no mistakes" {
		t.Errorf("warnings alone say %q", got)
	}
}

// TestStartStopsAtFirst makes sure that nothing is opened or looked up after a
// mistake.
func TestStartStopsAtFirst(t *testing.T) {
	o := testOptions()
	o.TryOpen = func(path string) error { t.Errorf("%s was opened", path); return nil }
	for _, text := range []string{
		"frob=1\nlogfile=\"/x\"\n",
		"virtual=1\n    frob=1\n    monitorfile=/x\n",
		"virtual=web\n    monitorfile=/x\n",
		"virtual=nosuch:80\n    scheduler=rr\nlogfile=\"/x\"\n",
	} {
		if _, err := Parse("t.cf", []byte(text), o); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
