package rights

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// nobody is a user other than root.
const nobody = 65534

// asRoot skips a test that gives files away.
func asRoot(t *testing.T) {
	t.Helper()
	lab.Root(t, "files of other users")
}

// dir makes a directory of a user with a mode.
func dir(t *testing.T, uid int, mode uint32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "d")
	if err := errors.Join(os.Mkdir(path, 0o755), os.Chown(path, uid, uid), unix.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, target, name string) string {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAppendFollowsNoLinkOfOthers has symbolic links that lead to a file of
// root's, on the way and at the end, in directories that others can write to.
func TestAppendFollowsNoLinkOfOthers(t *testing.T) {
	asRoot(t)
	victims := t.TempDir()
	victim := filepath.Join(victims, "shadow")
	tests := map[string]struct {
		path string
		err  string
	}{
		"at the end, in a directory of another": {link(t, victim, filepath.Join(dir(t, nobody, 0o755), "log")), "is a symbolic link in a directory that others"},
		"in a directory for everyone":           {link(t, victim, filepath.Join(dir(t, 0, 0o1777), "log")), "is a symbolic link in a directory that others"},
		"on the way":                            {filepath.Join(link(t, victims, filepath.Join(dir(t, nobody, 0o755), "sub")), "shadow"), "is a symbolic link in a directory that others"},
		"that leads nowhere yet":                {link(t, filepath.Join(victims, "new"), filepath.Join(dir(t, nobody, 0o755), "log")), "is a symbolic link"},
		"behind one of root's":                  {link(t, link(t, victim, filepath.Join(dir(t, nobody, 0o755), "log")), filepath.Join(dir(t, 0, 0o755), "log")), "is a symbolic link"},
		"of root in root's directory":           {link(t, victim, filepath.Join(dir(t, 0, 0o755), "log")), ""},
		"of root where a group may write":       {link(t, victim, filepath.Join(dir(t, 0, 0o775), "log")), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(victim, []byte("root\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Append(tt.path)
			if err == nil {
				_, _ = f.WriteString("line\n")
				f.Close()
			}
			text, _ := os.ReadFile(victim)
			switch {
			case tt.err == "" && (err != nil || string(text) != "root\nline\n"):
				t.Errorf("error %v, the file has %q: the link should be followed", err, text)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || string(text) != "root\n"):
				t.Errorf("error %v, the file has %q: want an error with %q and the file as it was", err, text, tt.err)
			}
			if got := CanAppend(tt.path); (got == nil) != (tt.err == "") {
				t.Errorf("CanAppend says %v", got)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(victims, "new")); err == nil {
		t.Error("a file was made where a link of another user led")
	}
}

func TestAppendFollowsNoHardLinkOfOthers(t *testing.T) {
	asRoot(t)
	victim := filepath.Join(t.TempDir(), "shadow")
	open := filepath.Join(dir(t, 0, 0o1777), "log")
	if err := errors.Join(os.WriteFile(victim, nil, 0o600), os.Link(victim, open)); err != nil {
		t.Fatal(err)
	}
	if f, err := Append(open); err == nil {
		f.Close()
		t.Error("it was opened")
	}
}

// TestAppendToOddFiles has everything but regular files.
func TestAppendToOddFiles(t *testing.T) {
	here := t.TempDir()
	fifo, folder := filepath.Join(here, "fifo"), filepath.Join(here, "folder")
	if err := errors.Join(unix.Mkfifo(fifo, 0o600), os.Mkdir(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		fifo: "is a FIFO that no process reads", folder: "is a directory", folder + "/": "is a directory", "": "no such file",
		filepath.Join(here, "none/log"): "no such file", filepath.Join(here, "fifo/log"): "not a directory", "/": "is a directory",
		link(t, filepath.Join(here, "loop"), filepath.Join(here, "loop")): "too many levels",
	} {
		f, err := Append(path)
		if err == nil {
			f.Close()
		}
		for how, err := range map[string]error{"Append": err, "CanAppend": CanAppend(path)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s(%q): error %v, want %q", how, path, err, want)
			}
		}
	}
	reader, err := os.OpenFile(fifo, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	f, err := Append(fifo)
	if err != nil {
		t.Fatalf("a FIFO that is read: %v", err)
	}
	defer f.Close()
	if _, err := f.WriteString("line\n"); err != nil {
		t.Errorf("writing to a FIFO that is read: %v", err)
	}
}

// TestAppendToOwnOutput has the links of /proc, which lead to files without a name,
// as /dev/stdout does in a container.
func TestAppendToOwnOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := link(t, fmt.Sprintf("/proc/self/fd/%d", w.Fd()), filepath.Join(t.TempDir(), "stdout"))
	f, err := Append(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("line\n")
	f.Close()
	w.Close()
	if text, _ := io.ReadAll(r); string(text) != "line\n" {
		t.Errorf("the pipe has %q", text)
	}
}

func TestAppendRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := Append("./log")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if info, err := os.Stat("log"); err != nil || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("%v, %v", info, err)
	}
}
