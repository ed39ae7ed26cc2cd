package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestPurge purges the Debian package, beside another one that has taken its place and
// without one.
func TestPurge(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	files := []string{
		"/var/lib/ldirectord/x.history.jsonl", "/var/lib/ldirectord/x.overrides.json.copy", "/var/log/ldirectord/ldirectord.log",
		"/var/log/ldirectord.log", "/var/log/ldirectord.log.1.gz", "/var/log/ipvsmonitor.log",
	}
	for _, file := range append([]string{"/usr/sbin/ldirectord"}, files...) {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	purge := func(when string, left int) {
		t.Helper()
		if out, err := exec.Command(filepath.Join(root, "packaging/deb/postrm"), "purge").CombinedOutput(); err != nil {
			t.Fatalf("postrm purge %s: %v\n%s", when, err, out)
		}
		var found []string
		for _, file := range files {
			if _, err := os.Stat(file); err == nil {
				found = append(found, file)
			}
		}
		if len(found) != left {
			t.Errorf("postrm purge %s leaves %q, want %d files", when, found, left)
		}
	}
	purge("beside another package", len(files))
	if err := os.Remove("/usr/sbin/ldirectord"); err != nil {
		t.Fatal(err)
	}
	purge("in the end", 0)
	for _, dir := range []string{"/var/lib/ldirectord", "/var/log/ldirectord"} {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("postrm purge leaves %s", dir)
		}
	}
}
