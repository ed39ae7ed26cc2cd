package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ldirectord/ldirectord/internal/state"
)

// TestRunningWithoutFile finds the daemon of a file that was removed, by each name of the file.
func TestRunningWithoutFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dirs, err := FindDirectories(dir, dir, Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "no-such.cf")
	i := &Instance{Name: "no-such.cf", Path: "no-such.cf", Dirs: dirs}
	claim, err := i.locks().Claim(state.Record{PID: os.Getpid(), File: state.Canonical(file), PIDFile: i.PIDFiles()[0]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	for _, tt := range []struct {
		name, path string
		want       bool
	}{
		{"no-such.cf", "no-such.cf", true},
		{"ldirectord", "no-such.cf", true}, // a command without CONFIG
		{"link.cf", file, true},
		{"ldirectord", "other.cf", false},
		{"ldirectord", filepath.Join(dir, "conf", "no-such.cf"), false},
	} {
		i := &Instance{Name: tt.name, Path: tt.path, Dirs: dirs}
		if _, ok := i.Running(); ok != tt.want {
			t.Errorf("the daemon of %s is found as %s, named %s: %t, want %t", file, tt.path, tt.name, ok, tt.want)
		}
	}
}
