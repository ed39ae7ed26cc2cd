package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCheckMaintenance has check look at the maintenance directory: a file that is no
// real server's is a warning with the directive's line, as is a directory that cannot
// be read. The address 127.0.0.1 has its name from /etc/hosts.
func TestCheckMaintenance(t *testing.T) {
	dir := t.TempDir()
	file, maintained := filepath.Join(dir, "t.cf"), filepath.Join(dir, "maintenance")
	write(t, file, "monitorlog=none\nmaintenancedir="+maintained+"\nvirtual=10.0.0.1:80\n    real=127.0.0.1:80 masq\n    checktype=on\n")
	check := func() string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		status := Main(Env{Args: []string{"ldirectord", file, "check"}, RunDir: dir, StateDir: dir, Stdout: &stdout, Stderr: &stderr})
		if status != exitOK {
			t.Errorf("exit status %d, want %d", status, exitOK)
		}
		var lines []string
		for line := range strings.Lines(strings.ReplaceAll(stderr.String(), dir, "DIR")) {
			if line[0] != ' ' {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	if diff := cmp.Diff("DIR/t.cf:2: warning: maintenance directory does not exist\n", check()); diff != "" {
		t.Errorf("without a directory (-want +got):\n%s", diff)
	}
	write(t, maintained, "")
	want := "DIR/t.cf:2: warning: maintenance directory does not exist\n" // as the original calls it
	if diff := cmp.Diff(want, check()); diff != "" {
		t.Errorf("with a file in its place (-want +got):\n%s", diff)
	}
	if err := os.Remove(maintained); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(maintained, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "127.0.0.1:81"} {
		write(t, filepath.Join(maintained, name), "")
	}
	want = "DIR/t.cf:2: warning: maintenance file 127.0.0.1:81 takes no real server out of service: it is no real server's address or name\n"
	if diff := cmp.Diff(want, check()); diff != "" {
		t.Errorf("with files (-want +got):\n%s", diff)
	}
}
