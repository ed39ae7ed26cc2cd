package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/lab"
)

var nobody = account.Account{Name: "nobody", UID: 65534, GID: 65534, Groups: "65534 65533", Home: "/nonexistent"}

// TestRunAs has programs of another user: all their rights are that user's.
func TestRunAs(t *testing.T) {
	lab.Root(t, "another user")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, shell, want string }{
		{"user", "id -ru; id -u", "65534 65534"},
		{"group", "id -rg; id -g", "65534 65534"},
		{"groups", "id -G", "65534 65533"},
		{"environment", "echo $HOME $USER $LOGNAME", "/nonexistent nobody nobody"},
		{"capabilities", "grep -c '^Cap[A-Z][a-z]*:.*[1-9a-f]' /proc/self/status | sed s/[01]/few/", "few"}, // of the bounding set at most
		{"files", "cat " + secret + " 2>/dev/null || echo refused", "refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Run(t.Context(), Command{Shell: tt.shell, As: nobody})
			if got := strings.Join(strings.Fields(string(r.Output)), " "); err != nil || got != tt.want {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
		})
	}
	_, err := Run(t.Context(), Command{Path: secret, As: nobody})
	if want := "cannot run " + secret + " as nobody: permission denied"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestRunAsEnds ends a program of another user.
func TestRunAsEnds(t *testing.T) {
	lab.Root(t, "another user")
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error, 1)
	c := Command{Shell: "trap '' TERM; sleep 98765", As: nobody}
	p, err := start(c)
	if err != nil {
		t.Fatal(err)
	}
	go func() { cancelled <- p.wait(ctx, defaultGrace) }()
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	p.signal(unix.SIGKILL)
	if r := p.finish(defaultGrace); r.Signal != unix.SIGKILL && r.Signal != unix.SIGTERM {
		t.Errorf("it ended with %+v", r)
	}
}

// TestRunAsRefused has a process that may not become another user, and is the user already.
func TestRunAsRefused(t *testing.T) {
	lab.Root(t, "another user")
	asNobody(t, func() {
		_, err := Run(t.Context(), Command{Shell: "exit 0", As: account.Account{Name: "daemon", UID: 1, GID: 1}})
		if !errors.Is(err, fs.ErrPermission) || err.Error() != "cannot run /bin/sh as daemon: operation not permitted" {
			t.Errorf("another user: error %v", err)
		}
		r, err := Run(t.Context(), Command{Shell: "id -u; echo $HOME", As: nobody})
		if got := string(r.Output); err != nil || got != "65534\n/nonexistent\n" {
			t.Errorf("the same user: %q, %v", got, err)
		}
	})
}

// asNobody calls f on a thread of the user nobody, which ends with it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			t.Error(errno)
			return
		}
		f()
	}()
	<-done
}
