package checker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// file writes an executable file into a new directory and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExternal(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"succeeds", "exit 0", ""},
		{"fails", "exit 3", "exit status 3"},
		{"fails and says why", "echo >&2; echo 'no  license' >&2; echo more; exit 1", `exit status 1: "no  license"`},
		{"is killed", "kill -KILL $$", "killed by SIGKILL"},
		{"the arguments", `[ "$# $*" = "4 10.0.0.1 80 [fd00::1] 8080" ]`, ""},
		{"writes a lot", "head -c 200000 /dev/zero; exit 0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			e := External{
				Command: secret.Command(file(t, "check", "#!/bin/sh\n"+tt.script+"\n")),
				VAddr:   "10.0.0.1", VPort: "80", RAddr: "[fd00::1]", RPort: "8080",
			}
			_, err := e.Check(t.Context())
			if got := errText(err); got != tt.want || IsLocal(err) {
				t.Errorf("error %q (local: %v), want %q", got, IsLocal(err), tt.want)
			}
		})
	}
}

// TestExternalCannotRun has commands that never run; the cause is permanent, so the
// error is no LocalError.
func TestExternalCannotRun(t *testing.T) {
	plain := file(t, "plain", "")
	if err := os.Chmod(plain, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ command, want string }{
		{"/nowhere/check", "cannot run /nowhere/check: no such file or directory"},
		{"/bin/true a b", "cannot run /bin/true ***: no such file or directory"},
		{plain, "cannot run " + plain + ": permission denied"},
	}
	for _, tt := range tests {
		_, err := External{Command: secret.Command(tt.command)}.Check(t.Context())
		if got := errText(err); got != tt.want || IsLocal(err) {
			t.Errorf("%s: error %q (local: %v), want %q", tt.command, got, IsLocal(err), tt.want)
		}
	}
}

func TestExternalTimeout(t *testing.T) {
	leavesNothing(t)
	tests := []struct {
		name  string
		check Caller
		want  string
	}{
		{"command", External{Command: secret.Command(file(t, "check", "#!/bin/sh\necho waiting for it\nsleep 1000\n"))}, `ms, killed: "waiting for it"`},
		{"perl", ExternalPerl{Command: secret.Command(file(t, "check.pl", "sleep 1000"))}, "ms, killed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			begin := time.Now()
			_, err := tt.check.Check(ctx)
			// A busy machine leaves the check less than its 200 ms.
			if got := errText(err); !strings.HasPrefix(got, "no answer in ") || !strings.HasSuffix(got, tt.want) || IsLocal(err) {
				t.Errorf("error %q (local: %v), want %q behind the time", got, IsLocal(err), tt.want)
			}
			eventually.InTime(t, "the check", begin, 200*time.Millisecond)
		})
	}
}

func TestExternalString(t *testing.T) {
	e := External{Command: "/etc/ha.d/check", VAddr: "8", VPort: "0", RAddr: "10.1.0.1", RPort: "80"}
	if got, want := e.String(), "external /etc/ha.d/check 8 0 10.1.0.1 80"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got, want := ExternalPerl(e).String(), "external-perl /etc/ha.d/check 8 0 10.1.0.1 80"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestExternalPerl(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"exit 0", "exit 0;", ""},
		{"exit", "exit;", ""},
		{"exit 3", "exit(3);", "exit status 3"},
		{"exit 256", "exit 256;", "exit status 1"},
		{"exit -1", "exit -1;", "exit status 255"},
		{"exit from a function", "sub bad { exit 2 } bad(); exit 0;", "exit status 2"},
		{"the end without exit", "my $x = 1; $x - 1;", ""},
		{"return", "return 5;", ""},
		{"die", "die \"no way\\n\";", `exit status 255: "no way"`},
		{"does not compile", "if (;", `exit status 255: "syntax error at `},
		{"the arguments", `exit("@ARGV" eq "10.0.0.1 80 10.1.0.1 8080" ? 0 : 1);`, ""},
		{"its own name", `exit($0 =~ m{/check\.pl$} ? 0 : 1);`, ""},
		{"modules", "use strict; use warnings; use Socket; exit(inet_aton('127.0.0.1') ? 0 : 1);", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := ExternalPerl{
				Command: secret.Command(file(t, "check.pl", tt.script)),
				VAddr:   "10.0.0.1", VPort: "80", RAddr: "10.1.0.1", RPort: "8080",
			}
			_, err := e.Check(t.Context())
			if got := errText(err); tt.want == "" && err != nil || !strings.HasPrefix(got, tt.want) {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
	_, err := ExternalPerl{Command: "/nowhere/check.pl"}.Check(t.Context())
	if got, want := errText(err), `"cannot open /nowhere/check.pl: No such file or directory"`; !strings.Contains(got, want) {
		t.Errorf("error %q, want %q", got, want)
	}
}

// With externalweight an exit status from 2 on is up with a weight; what ends a command in
// another way is down, also Perl's own statuses.
func TestExternalWeight(t *testing.T) {
	weight := func(status, weight int) error {
		return Wish{Weighs: true, Weight: weight, Drains: weight == 0, Answer: fmt.Sprintf("exit status %d, weight %d", status, weight)}
	}
	shell := func(script string) Caller {
		return External{Command: secret.Command(file(t, "check", "#!/bin/sh\n"+script+"\n")), Weighs: true}
	}
	ofPerl := func(script string) Caller {
		return ExternalPerl{Command: secret.Command(file(t, "check.pl", script)), Weighs: true}
	}
	for name, tt := range map[string]struct {
		check Caller
		want  error
	}{
		"0":                {shell("exit 0"), nil},
		"1":                {shell("echo no; exit 1"), errors.New(`exit status 1: "no"`)},
		"2":                {shell("exit 2"), weight(2, 0)},
		"3":                {shell("exit 3"), weight(3, 1)},
		"255":              {shell("exit 255"), weight(255, 253)},
		"a signal":         {shell("kill -KILL $$"), errors.New("killed by SIGKILL")},
		"no program":       {External{Command: "/nowhere", Weighs: true}, errors.New("cannot run /nowhere: no such file or directory")},
		"Perl: 12":         {ofPerl("exit 12;"), weight(12, 10)},
		"Perl: no exit":    {ofPerl("1;"), nil},
		"Perl: die":        {ofPerl("$! = 2; die qq(no\n);"), errors.New(`exit status 1: "no"`)},
		"Perl: no file":    {ExternalPerl{Command: "/nowhere", Weighs: true}, errors.New(`exit status 1: "cannot open /nowhere: No such file or directory"`)},
		"Perl: exit(1)":    {ofPerl("exit(1);"), errors.New("exit status 1")},
		"Perl: exit in it": {ofPerl("eval { exit 4 }; exit 0;"), weight(4, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.check.Check(t.Context())
			if gotWish, ok := errors.AsType[Wish](err); ok && tt.want != nil && gotWish == tt.want {
				return
			}
			if got, want := errText(err), errText(tt.want); got != want {
				t.Errorf("the check returns %q, want %q", got, want)
			}
		})
	}
}
