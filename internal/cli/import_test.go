package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImport imports a file of keepalived that includes another, as the director whose ID is given, and as
// this host without one.
func TestImport(t *testing.T) {
	dir := t.TempDir()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	file := filepath.Join(dir, "keepalived.conf")
	write(t, file, "include web\n")
	write(t, filepath.Join(dir, "web"), "virtual_server 10.0.0.1 80 {\n protocol TCP\n@other lvs_sched rr\n@"+host+" lvs_sched sh\n real_server 10.1.0.1 80 {\n  PING_CHECK {\n  }\n }\n}\n")
	for _, tt := range []struct {
		args         []string
		status       int
		out, errLine string
	}{
		{[]string{"import", "--id", "other", file}, exitOK, "scheduler = rr\n", "line 4 of " + dir + "/web: lines of @" + host + " are left out"},
		{[]string{"import", file}, exitOK, "scheduler = sh\n", "line 3 of " + dir + "/web: lines of @other are left out: this is the file for @" + host},
		{[]string{"import", "--id", "third", file}, exitOK, "scheduler = wlc\n", "lines of @other"},
		{[]string{"import", filepath.Join(dir, "nosuch")}, exitFailed, "", "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		status := Main(Env{Args: append([]string{"ldirectord"}, tt.args...), RunDir: dir, StateDir: dir, Stdout: &stdout, Stderr: &stderr})
		if status != tt.status || !strings.Contains(stdout.String(), tt.out) || !strings.Contains(stderr.String(), tt.errLine) {
			t.Errorf("%q: exit status %d, want %d with %q and %q\n%s\n%s", tt.args, status, tt.status, tt.out, tt.errLine, stdout.String(), stderr.String())
		}
	}
}
