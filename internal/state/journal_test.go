package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// read is the file's content behind the heading, as a later process reads it.
func read(t *testing.T, path string) string {
	t.Helper()
	lines, err := (&Journal{Path: path, Heading: "mine"}).Read()
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(lines, []byte(" ")))
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "j")
	j := &Journal{Path: path, Heading: "mine"}
	defer j.Close()
	if lines, err := j.Read(); len(lines) != 0 || err != nil {
		t.Errorf("a missing file: %q, %v", lines, err)
	}
	if added, err := j.Append([]byte("a\n")); added || err != nil {
		t.Errorf("Append before Replace: %t, %v, want false: a file of others is never opened", added, err)
	}
	grow := func(line string) {
		t.Helper()
		if added, err := j.Append([]byte(line)); !added || err != nil {
			t.Errorf("Append: %t, %v", added, err)
		}
	}
	if err := j.Replace([]byte("a\nb\n")); err != nil {
		t.Fatal(err)
	}
	grow("c\n")
	if got := read(t, path); got != "a b c" {
		t.Errorf("the file has %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != j.Size() {
		t.Errorf("%v, %v, want mode 0600 and %d bytes", info.Mode(), err, j.Size())
	}
	if err := j.Replace([]byte("d\n")); err != nil {
		t.Fatal(err)
	}
	grow("e\n")
	if got := read(t, path); got != "d e" {
		t.Errorf("the replaced file has %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if added, err := j.Append([]byte("f\n")); added || err != nil {
		t.Errorf("Append to a removed file: %t, %v", added, err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 0 {
		t.Errorf("Replace has left %v", files)
	}
}

// TestJournalTorn cuts the file at each byte, as a crash may.
func TestJournalTorn(t *testing.T) {
	j := &Journal{Heading: "mine"}
	whole := "mine\none\ntwo\n"
	for n := range len(whole) {
		lines, err := j.Parse([]byte(whole[:n]))
		if n < len("mine\n") {
			if !errors.Is(err, ErrForeign) {
				t.Errorf("%q: %v", whole[:n], err)
			}
			continue
		}
		if want := strings.Count(whole[:n], "\n") - 1; len(lines) != want || err != nil {
			t.Errorf("%q: %q, %v, want %d lines", whole[:n], lines, err, want)
		}
	}
}

// TestJournalOfOthers has in its place what the daemon must not read or write through.
func TestJournalOfOthers(t *testing.T) {
	for name, put := range map[string]func(path, victim string) error{
		"a symbolic link": func(path, victim string) error { return os.Symlink(victim, path) },
		"a hard link":     func(path, victim string) error { return os.Link(victim, path) },
		"a FIFO":          func(path, _ string) error { return unix.Mkfifo(path, 0o600) },
		"a directory":     func(path, _ string) error { return os.Mkdir(path, 0o700) },
		"another heading": func(path, _ string) error { return os.WriteFile(path, []byte("yours\na\n"), 0o600) },
		"binary data":     func(path, _ string) error { return os.WriteFile(path, []byte{0, 1, 2, 255}, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, victim := filepath.Join(dir, "j"), filepath.Join(dir, "victim")
			if err := errors.Join(os.WriteFile(victim, []byte("theirs"), 0o600), put(path, victim)); err != nil {
				t.Fatal(err)
			}
			j := &Journal{Path: path, Heading: "mine"}
			defer j.Close()
			lines, err := j.Read()
			if len(lines) != 0 || err == nil || strings.Contains(err.Error(), "theirs") {
				t.Errorf("Read: %q, %v, want an error", lines, err)
			}
			if kept, err := j.SetAside(); err != nil || kept != path+".bad" {
				t.Errorf("SetAside: %s, %v", kept, err)
			}
			if err := os.Symlink(victim, path+".new"); err != nil { // as another user may
				t.Fatal(err)
			}
			if err := j.Replace([]byte("a\n")); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Append([]byte("b\n")); err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(victim); string(text) != "theirs" {
				t.Errorf("the other file has %q, %v", text, err)
			}
			if got := read(t, path); got != "a b" {
				t.Errorf("the file has %q", got)
			}
		})
	}
}

// TestJournalBelongsToTheDirectory lets root write in the directory of a daemon that runs as
// a normal user.
func TestJournalBelongsToTheDirectory(t *testing.T) {
	lab.Root(t, "files of other users")
	dir := t.TempDir()
	if err := os.Chown(dir, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	j := &Journal{Path: filepath.Join(dir, "j"), Heading: "mine"}
	defer j.Close()
	if err := j.Replace(nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(j.Path)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 1234 || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %+v, %v", info, err)
	}
}

// TestJournalOnAFullDisk fills a small file system: no line is torn, and it goes on when
// there is room again.
func TestJournalOnAFullDisk(t *testing.T) {
	lab.Root(t, "a mount")
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	j := &Journal{Path: filepath.Join(dir, "j"), Heading: "mine"}
	defer j.Close()
	other := filepath.Join(dir, "other")
	if err := errors.Join(j.Replace(nil), os.WriteFile(other, make([]byte, 16<<10), 0o600)); err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 1000) + "\n")
	n := 0
	for ; ; n++ {
		if added, err := j.Append(line); err != nil {
			break
		} else if !added || n > 100 {
			t.Fatalf("Append %d: %t", n, added)
		}
	}
	if err := j.Replace(bytes.Repeat(line, n)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Replace on a full disk: %v", err)
	}
	if lines, err := j.Read(); len(lines) != n || err != nil {
		t.Errorf("%d lines, %v, want %d", len(lines), err, n)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if added, err := j.Append(line); !added || err != nil {
		t.Errorf("Append when there is room: %t, %v", added, err)
	}
	if lines, err := j.Read(); len(lines) != n+1 || err != nil {
		t.Errorf("%d lines, %v, want %d", len(lines), err, n+1)
	}
}

// TestSyncDir has a file system that cannot sync directories, as some of networks cannot.
func TestSyncDir(t *testing.T) {
	if err := syncDir("/proc"); err != nil {
		t.Errorf("where it is not possible: %v", err)
	}
	if err := syncDir(t.TempDir() + "/missing"); err == nil {
		t.Error("a missing directory is no error")
	}
}
