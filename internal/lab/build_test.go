package lab

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestProgram(t *testing.T) {
	file := Program(t, "github.com/ldirectord/ldirectord/internal/lab/setup")
	first, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.Stat(Program(t, "github.com/ldirectord/ldirectord/internal/lab/setup"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(first, again) {
		t.Error("a program that had not changed was replaced")
	}
	if !Inside(t) {
		return
	}
	if out, err := exec.Command(file).CombinedOutput(); err != nil {
		t.Errorf("inside: %v\n%s", err, out)
	}
}

// emptyCache gives the lab a cache of its own, and the go command the one that it has.
func emptyCache(t *testing.T) {
	t.Helper()
	t.Setenv("GOCACHE", strings.TrimSpace(output(t, "go", "env", "GOCACHE")))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestBuildFails(t *testing.T) {
	emptyCache(t) // for the lock
	file, err := cached(t.TempDir(), "none")
	if err != nil {
		t.Fatal(err)
	}
	err = build(file, "build", "ldirectord/no/such/package")
	if err == nil || !strings.Contains(err.Error(), "no/such/package") {
		t.Errorf("got %v", err)
	}
}

func TestPublish(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "first", "second"} {
		running, _ := os.Open(file) // as a kernel would have it
		if err := publish([]byte(text), file, 0o700); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); string(got) != text || err != nil {
			t.Errorf("published %q, %v; want %q", got, err, text)
		}
		if running != nil {
			was := make([]byte, 10)
			if n, _ := running.Read(was); string(was[:n]) != "first" {
				t.Errorf("the running one became %q", was[:n])
			}
			running.Close()
		}
	}
}

// A build removes programs from the cache that no test has built for a long time.
// Programs that are new or in use stay, and other files.
func TestPrune(t *testing.T) {
	emptyCache(t)
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-unused - time.Minute)
	for name, used := range map[string]time.Time{
		"gone-0a1b2c3d": old, "busy-0a1b2c3d": old, "new-0a1b2c3d": time.Now(), "slot0": old, "kernel": old,
	} {
		for _, suffix := range []string{"", ".built", ".lock"} {
			file := filepath.Join(dir, name+suffix)
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chtimes(file, used, used)); err != nil {
				t.Fatal(err)
			}
		}
	}
	unlock, err := lock("busy-0a1b2c3d", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	// The smallest program: with an import it would take a minute where the go command
	// has built nothing without cgo yet.
	t.Chdir(t.TempDir())
	file, err := cached(".", "setup")
	if err := errors.Join(err, os.WriteFile("go.mod", []byte("module setup\n"), 0o600), os.WriteFile("main.go", []byte("package main\n\nfunc main() {}\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := build(file, "build", "."); err != nil {
		t.Fatal(err)
	}
	var got []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); !strings.Contains(name, ".") && !strings.HasPrefix(name, "setup-") {
			got = append(got, name)
		}
	}
	if want := []string{"busy-0a1b2c3d", "kernel", "new-0a1b2c3d", "slot0"}; !slices.Equal(got, want) {
		t.Errorf("the cache has %q, want %q", got, want)
	}
	for _, file := range []string{"gone-0a1b2c3d.built", "gone-0a1b2c3d.lock"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			t.Errorf("%s stays", file)
		}
	}
}
