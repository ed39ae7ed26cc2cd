package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckIncluded has check and its explanation name the file of each line, and warn
// of every file that others can read or change.
func TestCheckIncluded(t *testing.T) {
	dir := t.TempDir()
	part := filepath.Join(dir, "conf.d", "a.cf")
	if err := os.Mkdir(filepath.Dir(part), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "t.cf"), "include = conf.d/*.cf\n")
	write(t, part, "\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    passwd=\"x\"\n    service=imap\n    checktype=external\n    checkcommand=/nosuch\n")
	if err := os.Chmod(part, 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status := Main(Env{
		Args: []string{"ldirectord", filepath.Join(dir, "t.cf"), "check", "--explain"}, Stdout: &out, Stderr: &errs, RunDir: dir, StateDir: dir,
	})
	all := strings.ReplaceAll(errs.String()+out.String(), dir, "DIR")
	for _, want := range []string{
		"DIR/conf.d/a.cf: warning: DIR/conf.d/a.cf can be changed by everyone, and root does what it says\n",
		"DIR/conf.d/a.cf:2: warning: DIR/conf.d/a.cf can be read by everyone, and it holds passwords or keys\n",
		"DIR/conf.d/a.cf:7: warning: checkcommand /nosuch cannot be run: no such file or directory\n",
		"virtual service tcp 10.0.0.1:80, line 2 of DIR/conf.d/a.cf\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("check does not report %q:\n%s", want, all)
		}
	}
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
}
