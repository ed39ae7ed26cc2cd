package state

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestRecordOfAnotherUser has a normal user's daemon name a process and a file of others: root
// would end that process and remove that file.
func TestRecordOfAnotherUser(t *testing.T) {
	lab.Root(t, "files of other users")
	const nobody = 65534
	for name, tt := range map[string]struct {
		owner int
		r     Record
		trust bool
	}{
		"root's":                          {0, Record{File: "/t.cf", PIDFile: "/run/ldirectord.t.pid"}, true},
		"a user's, of root's process":     {nobody, Record{File: "/t.cf", PIDFile: "/run/ldirectord.t.pid"}, false},
		"root's, with another file's pid": {0, Record{File: "/t.cf", PIDFile: filepath.Join(t.TempDir(), "x")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := Dir(t.TempDir())
			begin(t, dir, tt.r)
			if err := os.Chmod(string(dir), 0o755); err != nil {
				t.Fatal(err)
			}
			locks, err := filepath.Glob(string(dir) + "/*.lock")
			if err != nil || len(locks) != 1 {
				t.Fatal(locks, err)
			}
			if err := os.Chown(locks[0], tt.owner, tt.owner); err != nil {
				t.Fatal(err)
			}
			if _, ok := dir.find("/t.cf"); ok != tt.trust {
				t.Errorf("it is found: %t, want %t", ok, tt.trust)
			}
		})
	}
	for path, want := range map[string]bool{
		"/run/ldirectord/ldirectord.ldirectord.pid": true, "/etc/passwd": false, "/etc/x.pid": false, "ldirectord.t.pid": false,
	} {
		if isPIDFile(path) != want {
			t.Errorf("%s is a pid file: %t", path, !want)
		}
	}
}

// TestRootWritesForTheOwner has root write into the directory of a daemon that runs as a
// normal user, which must be able to read it.
func TestRootWritesForTheOwner(t *testing.T) {
	lab.Root(t, "files of other users")
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := errors.Join(os.Chown(dir, 65534, 65534), WriteTwice(path, []byte("text"))); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, CopyOf(path)} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 65534 {
			t.Errorf("%s belongs to user %d, want the directory's", file, stat.Uid)
		}
	}
}
