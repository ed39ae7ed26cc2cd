package account

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// fakes makes PATH a directory with these programs alone.
func fakes(t *testing.T, programs map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestLookup(t *testing.T) {
	const someone = `[ "$*" = "passwd someone" ] || exit 2; echo someone:x:4711:4712:Some One:/home/someone:/bin/sh`
	tests := []struct {
		name     string
		programs map[string]string
		user     string
		want     Account
		err      string // "" is none
	}{
		{"of passwd", nil, "root", Account{Name: "root", Home: "/root"}, ""},
		{"by number", nil, "0", Account{Name: "root", Home: "/root"}, ""},
		{"nobody", nil, "nobody", Account{Name: "nobody", UID: 65534, GID: 65534, Home: "/nonexistent"}, ""},
		{"unknown, without getent", nil, "someone", Account{}, ErrUnknown.Error()},
		{"unknown", map[string]string{"getent": someone, "id": "exit 1"}, "other", Account{}, ErrUnknown.Error()},
		{"no name", nil, "", Account{}, ErrUnknown.Error()},
		{"an option", map[string]string{"getent": "echo -s:x:1:1::/:"}, "-s", Account{}, ErrUnknown.Error()},
		{"a number beyond the kernel's", map[string]string{"getent": "echo root:x:0:0:root:/root:/bin/sh", "id": "echo 0"}, "4294967296", Account{}, ErrUnknown.Error()},
		{"a number with a sign", map[string]string{"getent": "echo games:x:5:60:games:/:/bin/sh", "id": "echo 60"}, "+5", Account{}, ErrUnknown.Error()},
		{"two fields", nil, "root:x", Account{}, ErrUnknown.Error()},
		{
			"of LDAP",
			map[string]string{"getent": someone, "id": `[ "$*" = "-G someone" ] && echo 4712 27 100`},
			"someone",
			Account{Name: "someone", UID: 4711, GID: 4712, Groups: "4712 27 100", Home: "/home/someone"},
			"",
		},
		{"LDAP fails", map[string]string{"getent": "exit 1"}, "someone", Account{}, "getent: exit status 1"},
		{"LDAP prints something else", map[string]string{"getent": "echo what"}, "someone", Account{}, "getent passwd printed"},
		{"its groups are not found", map[string]string{"getent": someone, "id": "exit 1"}, "someone", Account{}, "id: exit status 1"},
		{"a number that is none of the kernel's", map[string]string{"getent": "echo a:x:4294967295:1::/:", "id": "echo 1"}, "a", Account{}, "4294967295"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.programs)
			got, err := Lookup(tt.user)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if errors.Is(err, ErrUnknown) != (tt.err == ErrUnknown.Error()) {
				t.Errorf("error %v is ErrUnknown: %t", err, errors.Is(err, ErrUnknown))
			}
			if tt.user == "root" || tt.user == "0" || tt.user == "nobody" { // this machine's groups
				got.Groups = ""
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLookupEnds has a getent that never ends, nor does its child, which holds its output.
func TestLookupEnds(t *testing.T) {
	fakes(t, map[string]string{"getent": "/bin/sleep 98765 & /bin/sleep 98765"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := lookup(ctx, "someone")
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknown) {
		t.Errorf("error %v, want that of the deadline", err)
	}
}

func TestEnvironment(t *testing.T) {
	env := []string{"HOME=/root", "PATH=/bin", "USER=root", "XDG_RUNTIME_DIR=/run/user/0", "HOMEPAGE=x", "LOGNAME=root"}
	before := slices.Clone(env)
	got := Account{Name: "nobody", UID: 65534, Home: "/nonexistent"}.Environment(env)
	if diff := cmp.Diff([]string{"PATH=/bin", "HOMEPAGE=x", "HOME=/nonexistent", "LOGNAME=nobody", "USER=nobody"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, Account{}.Environment(env)); diff != "" {
		t.Errorf("of the zero Account (-want +got):\n%s", diff)
	}
}

func TestCredential(t *testing.T) {
	if c := (Account{}).Credential(); c != nil {
		t.Errorf("the zero Account has %v", c)
	}
	if c := (Account{Name: "me", UID: uint32(os.Geteuid()), GID: 5}).Credential(); c != nil {
		t.Errorf("the user of this process has %v", c)
	}
	other := Account{Name: "x", UID: uint32(os.Geteuid()) + 4711, GID: 8, Groups: "8 9"}
	if c := other.Credential(); c == nil || c.Uid != other.UID || c.Gid != 8 || !slices.Equal(c.Groups, []uint32{8, 9}) || c.NoSetGroups {
		t.Errorf("another user has %+v", c)
	}
}

// TestRefused compares the mode bits with the rights of a user.
func TestRefused(t *testing.T) {
	lab.Root(t, "files of other users")
	a := Account{Name: "x", UID: 4711, GID: 4712, Groups: "4713"}
	tests := []struct {
		name       string
		uid, gid   int
		file, dir  os.FileMode
		right      Right
		want       string // the last element of the path
		byRootOnly bool
	}{
		{"all may", 0, 0, 0o755, 0o755, Execute, "", false},
		{"others may not", 0, 0, 0o750, 0o755, Execute, "file", false},
		{"others may not read", 0, 0, 0o711, 0o755, Read, "file", false},
		{"its own", 4711, 0, 0o700, 0o755, Execute, "", false},
		{"its own, but closed to itself", 4711, 0, 0o077, 0o755, Execute, "file", false},
		{"its group's", 0, 4712, 0o710, 0o755, Execute, "", false},
		{"its other group's", 0, 4713, 0o710, 0o755, Execute, "", false},
		{"another group's", 0, 4714, 0o710, 0o755, Execute, "file", false},
		{"the directory is closed", 0, 0, 0o755, 0o700, Execute, "dir", false},
		{"the directory can be entered, not listed", 0, 0, 0o755, 0o711, Execute, "", false},
		{"root may all", 0, 0, 0o600, 0o700, Execute, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := t.TempDir()
			dir := filepath.Join(base, "dir")
			file := filepath.Join(dir, "file")
			err := errors.Join(os.Chmod(filepath.Dir(base), 0o755), os.Chmod(base, 0o755), os.Mkdir(dir, 0o755), os.WriteFile(file, nil, 0o600))
			if err := errors.Join(err, os.Chown(file, tt.uid, tt.gid), os.Chmod(file, tt.file), os.Chmod(dir, tt.dir)); err != nil {
				t.Fatal(err)
			}
			user := a
			if tt.byRootOnly {
				user = Account{Name: "root"}
			}
			got := user.Refused(file, tt.right)
			if got != "" {
				got = filepath.Base(got)
			}
			if got != tt.want {
				t.Errorf("refused at %q, want %q", got, tt.want)
			}
		})
	}
	if got := a.Refused("/nowhere/file", Execute); got != "" {
		t.Errorf("a missing file is refused at %q", got)
	}
}
