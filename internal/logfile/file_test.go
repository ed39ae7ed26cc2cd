package logfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func linesOf(texts ...string) []line {
	var lines []line
	for _, text := range texts {
		lines = append(lines, line{text: []byte(text)})
	}
	return lines
}

func put(t *testing.T, f *file, line string) {
	t.Helper()
	if err := f.write(linesOf(line)); err != nil {
		t.Fatalf("writing %q: %v", line, err)
	}
}

func TestFileFollowsRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ldirectord.log")
	f := &file{path: path}
	defer f.close()
	put(t, f, "one\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	put(t, f, "two\n")
	put(t, f, "three\n")
	if err := os.Truncate(path, 0); err != nil { // logrotate's copytruncate
		t.Fatal(err)
	}
	put(t, f, "four\n")
	if got, want := contents(t, path+".1"), "one\n"; got != want {
		t.Errorf("the rotated file has %q, want %q", got, want)
	}
	if got, want := contents(t, path), "four\n"; got != want {
		t.Errorf("the new file has %q, want %q", got, want)
	}
}

func TestFileDirectoryComesAndGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	f := &file{path: filepath.Join(dir, "x.log")}
	defer f.close()
	if err := f.write(linesOf("lost\n")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("writing without a directory: %v, want %v", err, fs.ErrNotExist)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, f, "kept\n")
	if got, want := contents(t, f.path), "kept\n"; got != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
}

func TestFileOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	f := &file{path: filepath.Join(dir, "x.log")}
	defer f.close()
	if err := os.Symlink("/dev/full", f.path); err != nil {
		t.Fatal(err)
	}
	if err := f.write(linesOf("lost\n")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("writing to a full disk: %v, want %v", err, syscall.ENOSPC)
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	put(t, f, "kept\n")
	if got, want := contents(t, f.path), "kept\n"; got != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
}

func TestFileEndsATornLine(t *testing.T) {
	f := &file{path: filepath.Join(t.TempDir(), "x.log")}
	defer f.close()
	put(t, f, "half a li")
	put(t, f, "whole\n")
	put(t, f, "next\n")
	if got, want := contents(t, f.path), "half a li\nwhole\nnext\n"; got != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
}

// BenchmarkWrite is what one line costs, with the look at the name.
func BenchmarkWrite(b *testing.B) {
	f := &file{path: filepath.Join(b.TempDir(), "x.log")}
	defer f.close()
	line := linesOf("[Sun Nov  1 02:12:00 2026|t.cf|7] Deleted real server: 10.1.0.1:80 (10.0.0.1:80)\n")
	for b.Loop() {
		if err := f.write(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMoved(b *testing.B) {
	f := &file{path: filepath.Join(b.TempDir(), "x.log")}
	defer f.close()
	if err := f.begin(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if f.moved() {
			b.Fatal("nobody moved it")
		}
	}
}
