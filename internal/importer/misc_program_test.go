package importer

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestMiscChecksRun imports commands of keepalived and has the program run the checks of the file as it is: each
// command gets the arguments that keepalived gives it, and no other.
func TestMiscChecksRun(t *testing.T) {
	program := lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script := write("a check.sh", "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done >>"+dir+"/called\necho >>"+dir+"/called\n")
	misc := func(address, command string) string {
		return " real_server " + address + " 80 {\n  MISC_CHECK {\n   misc_path \"" + command + "\"\n  }\n }\n"
	}
	const web = "'it s' -H web1"
	file := write("keepalived.conf", "virtual_server 127.0.0.1 80 {\n protocol TCP\n delay_loop 1\n"+
		misc("127.0.0.2", "'"+script+"' "+web)+misc("127.0.0.3", "'"+script+"' 2 $x ;")+misc("127.0.0.4", "'"+script+"'")+"}\n")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}

	var stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), program, "import", file)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("import: %v\n%s", err, stderr.String())
	}
	config := write("ldirectord.cf", string(out))

	daemon := exec.CommandContext(t.Context(), program, "--dry-run", "--foreground", "--rundir", dir, "--statedir", dir, "--logdir", dir, config, "start")
	var log bytes.Buffer
	daemon.Stdout, daemon.Stderr = &log, &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	called := func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "called"))
		return string(text)
	}
	done := eventually.Holds(func() bool {
		return strings.Contains(called(), "<it s><-H><web1>\n") && strings.Contains(called(), "<2><$x><;>\n") && strings.Contains("\n"+called(), "\n\n")
	})
	_ = daemon.Process.Signal(syscall.SIGTERM)
	_ = daemon.Wait()
	if !done {
		t.Errorf("the commands were called with\n%s\n%s\n%s", called(), out, log.String())
	}
	if strings.Contains(called(), "127.0.0.") {
		t.Errorf("addresses are among the arguments:\n%s", called())
	}
}
