package acceptance

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// stopLimit is what a stop may take: less than the agents of cluster managers allow.
const stopLimit = 12 * time.Second

// TestCommandsAsUser runs external checks and fallback commands as nobody: at a start, a
// restart, a stop, and a stop with a command that does not end.
func TestCommandsAsUser(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	calls := func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "calls"))
		return strings.Join(strings.Fields(string(text)), " ")
	}
	check := write("check", "[ $(id -u) = 65534 ] || exit 0\nexit 1")
	fallback := write("fallback", "umask 0; echo $1-$(id -u)-$(id -g) >>"+dir+"/calls\n[ $1 = start ] || [ ! -e "+dir+"/hang ] || { trap '' TERM; sleep 98765; }")
	d := s.start(howto(t, "checktype = negotiate", "checktype = external\n    checkcommand = "+check+"\n    fallbackcommand = "+fallback+"\n    stopcommands = yes",
		"quiescent", "checkuser = nobody\nquiescent"))
	const started = "start-65534-65534"
	await(t, "the command at the start", func() bool { return calls() == started })
	d.run(0, "restart")
	await(t, "the command at the restart", func() bool { return calls() == started+" "+started })
	d.stop()
	if want := started + " " + started + " stop-65534-65534"; calls() != want {
		t.Errorf("after the stop the calls are %q, want %q", calls(), want)
	}
	s.holds("")

	write("hang", "")
	d.run(0, "start")
	await(t, "the third start", func() bool { return strings.HasSuffix(calls(), started) })
	pid, began := d.pid(), time.Now()
	d.signal(syscall.SIGTERM)
	_ = syscall.Kill(pid, syscall.SIGTERM) // once more
	await(t, "the daemon's end", func() bool { return gone(pid) })
	eventually.InTime(t, "the end", began, stopLimit)
	d.log.await("system(" + fallback + " stop 192.168.1.99:80 tcp) failed: killed, the daemon ends")
	if left := processes(t, "98765"); left != "" {
		t.Errorf("left running: %s", left)
	}
	s.holds("")
}
