package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
)

// TestErrorIsLast types wrong command lines on a terminal, which shows the last lines.
func TestErrorIsLast(t *testing.T) {
	for _, line := range []string{"nosuch", "a.cf b.cf check", "--nosuch", "start stop"} {
		var screen strings.Builder
		Main(Env{Args: append([]string{"ldirectord"}, strings.Fields(line)...), Stdout: &screen, Stderr: &screen})
		lines := strings.Split(strings.TrimSpace(screen.String()), "\n")
		if last := lines[len(lines)-1]; strings.HasPrefix(last, " ") || len(lines) > 1 && lines[0] != "Usage:" {
			t.Errorf("ldirectord %s: the last line is %q", line, last)
		}
	}
}

// TestAsRoot gives the cure to users who lack a right, and to no one else.
func TestAsRoot(t *testing.T) {
	denied := fmt.Errorf("cannot stop process 7: %w", unix.EPERM)
	for _, tt := range []struct {
		err  error
		user int
		want string
	}{
		{denied, 1000, "cannot stop process 7: operation not permitted: run the command as root"},
		{denied, 0, "cannot stop process 7: operation not permitted"},
		{errors.New("no device"), 1000, "no device"},
	} {
		if got := asRoot(tt.err, tt.user).Error(); got != tt.want {
			t.Errorf("asRoot(%v, %d) = %q, want %q", tt.err, tt.user, got, tt.want)
		}
	}
	if err := asRoot(nil, 1000); err != nil {
		t.Errorf("asRoot(nil) = %v", err)
	}
}

// TestDoctorOfAnotherUser does not call a daemon silent that this user may not query.
func TestDoctorOfAnotherUser(t *testing.T) {
	q := &query{s: &session{}}
	findings := q.silentFindings(fmt.Errorf("t.sock is for root: %w", fs.ErrPermission))
	if len(findings) != 1 || findings[0].Severity != host.Note || findings[0].Code != host.Code(conf.CodeNeedsRoot) {
		t.Errorf("the findings are %v", findings)
	}
}

// TestSecretLine names the line of a secret outside of blocks.
func TestSecretLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	text := "checkinterval=5\nwebhook=http://h/x\nvirtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sources, err := conf.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := sources.Parse(conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := secretLines(cfg, sources); len(got) != 1 || got[path] != 2 {
		t.Errorf("the secret is in line %d, want 2", got[path])
	}
}
