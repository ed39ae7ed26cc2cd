package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script writes an executable file and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	tests := []struct {
		name string
		c    Command
		want Result
		err  string // of the Result
	}{
		{"succeeds", Command{Path: "true"}, Result{}, ""},
		{"fails", Command{Shell: "exit 3"}, Result{Status: 3}, "exit status 3"},
		{"is killed", Command{Shell: "kill -SEGV $$"}, Result{Status: -1, Signal: syscall.SIGSEGV}, "killed by SIGSEGV"},
		{
			"arguments are not looked at",
			Command{Path: "printf", Args: []string{"%s|", "a b", "$HOME", ""}},
			Result{Output: []byte("a b|$HOME||")},
			"",
		},
		{"a line for the shell", Command{Shell: "echo $((6 * 7))"}, Result{Output: []byte("42\n")}, ""},
		{"both outputs", Command{Shell: "echo out; echo err >&2"}, Result{Output: []byte("out\nerr\n")}, ""},
		{"the beginning of the output", Command{Shell: "echo 1234567890", Keep: 4}, Result{Output: []byte("1234")}, ""},
		{"much output", Command{Shell: "head -c 1000000 /dev/zero | tr '\\0' x", Keep: 3}, Result{Output: []byte("xxx")}, ""},
		{"nothing to read", Command{Path: "cat"}, Result{}, ""},
		{"input", Command{Path: "cat", Stdin: []byte("hello")}, Result{Output: []byte("hello")}, ""},
		{"input that is not read", Command{Path: "true", Stdin: make([]byte, 1<<20)}, Result{}, ""},
		{
			"its own environment",
			Command{Shell: "echo $V", Env: []string{"V=1"}},
			Result{Output: []byte("1\n")},
			"",
		},
		{
			"no output if it may leave children",
			Command{Shell: "echo out; exit 1", LeaveChildren: true},
			Result{Status: 1},
			"exit status 1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Run(t.Context(), tt.c)
			if err != nil {
				t.Fatalf("Run: %v", err)
			}
			if len(got.Output) == 0 {
				got.Output = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if text := errText(got.Err()); text != tt.err {
				t.Errorf("Result.Err() = %q, want %q", text, tt.err)
			}
		})
	}
}

func TestRunScript(t *testing.T) {
	// The original runs its commands by execvp, which gives these to the shell.
	path := script(t, "echo \"$0 $# $2\"\nexit 4\n")
	got, err := Run(t.Context(), Command{Path: path, Args: []string{"a", "b c"}})
	if err != nil || got.Status != 4 || string(got.Output) != path+" 2 b c\n" {
		t.Errorf("a script without #! line: %+v, output %q, error %v", got, got.Output, err)
	}
}

func TestCannotRun(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, want string
		is               error
	}{
		{"missing", "/nowhere/x", "cannot run /nowhere/x: no such file or directory", fs.ErrNotExist},
		{"arguments in the name", "/bin/echo a b", "cannot run /bin/echo ***: no such file or directory", fs.ErrNotExist},
		{"not in PATH", "no-such-program", "cannot run no-such-program: executable file not found in $PATH", nil},
		{"not executable", plain, "cannot run " + plain + ": permission denied", fs.ErrPermission},
		{"a directory", "/tmp", "cannot run /tmp: ", nil},
		{"empty", "", "cannot run : ", nil},
		{"bad interpreter", script(t, "#!/nowhere/sh\n"), "no such file or directory", fs.ErrNotExist},
	}
	before := openFiles(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Run(t.Context(), Command{Path: tt.path, Stdin: []byte("x")})
			if !strings.Contains(errText(err), tt.want) {
				t.Errorf("error %q, want it to contain %q", errText(err), tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v does not wrap %v", err, tt.is)
			}
		})
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

func TestContextDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mark := filepath.Join(t.TempDir(), "mark")
	if _, err := Run(ctx, Command{Path: "touch", Args: []string{mark}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the program was run")
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// openFiles counts the open descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// group lists the living processes of a process group.
func group(t *testing.T, pgid int) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var living []string
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has just ended
		}
		// pid (name) state ppid pgrp …
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 2 && fields[2] == strconv.Itoa(pgid) && fields[0] != "Z" && fields[0] != "X" {
			living = append(living, string(text))
		}
	}
	return living
}

// nobodyLeft waits for the processes of a group to end.
func nobodyLeft(t *testing.T, pgid int) {
	t.Helper()
	if !eventually.Holds(func() bool { return len(group(t, pgid)) == 0 }) {
		t.Fatalf("still there:\n%s", strings.Join(group(t, pgid), ""))
	}
}

// TestNotSystemds has a program look for what systemd gave to this process alone.
func TestNotSystemds(t *testing.T) {
	for _, name := range ours {
		t.Setenv(name, "mine")
	}
	t.Setenv("LDIRECTORD_TEST", "theirs")
	for name, env := range map[string][]string{"inherited": nil, "given": append(os.Environ(), "VIRTUAL=10.0.0.1")} {
		result, err := Run(t.Context(), Command{Shell: "env; exit 0", Env: env, Keep: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if text := string(result.Output); strings.Contains(text, "=mine") || !strings.Contains(text, "LDIRECTORD_TEST=theirs") {
			t.Errorf("%s: the program sees\n%s", name, text)
		}
	}
}
