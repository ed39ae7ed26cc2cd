package acceptance

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

const (
	configFile = "/etc/ha.d/ldirectord.cf"
	pidFile    = "/var/run/ldirectord.ldirectord.cf.pid"
	logFile    = "/var/log/ldirectord.log"
	monitorLog = "/var/log/ipvsmonitor.log"
)

// A daemon is the program in the background of the director, as an
// administrator handles it.
type daemon struct {
	s       *site
	log     tail // of ldirectord.log
	monitor tail // of the monitor log
}

// in is the daemon for a subtest.
func (d *daemon) in(t *testing.T) *daemon {
	return &daemon{s: d.s.in(t), log: d.log.in(t), monitor: d.monitor.in(t)}
}

// start writes the configuration file and starts a daemon with fresh logs. It
// must not have anything to say.
func (s *site) start(config string) *daemon {
	s.t.Helper()
	d := s.prepare(config)
	if out := d.run(0, "start"); out != "" {
		s.t.Fatalf("start says:\n%s", out)
	}
	return d
}

// prepare is start without the start.
func (s *site) prepare(config string) *daemon {
	s.t.Helper()
	for _, file := range []string{logFile, monitorLog} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.t.Fatal(err)
		}
	}
	d := &daemon{s: s, log: newTail(s.t, logFile), monitor: newTail(s.t, monitorLog)}
	d.configure(config)
	s.t.Cleanup(d.kill)
	return d
}

// configure writes the configuration file.
func (d *daemon) configure(text string) {
	d.s.t.Helper()
	if err := os.WriteFile(configFile, []byte(text), 0o644); err != nil {
		d.s.t.Fatal(err)
	}
}

// run runs a command of ldirectord and returns what it says, on both outputs.
func (d *daemon) run(status int, words ...string) string {
	d.s.t.Helper()
	cmd := d.s.Command("director", "ldirectord", append([]string{"ldirectord.cf"}, words...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.s.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		d.s.t.Errorf("ldirectord %s: exit status %d, want %d\n%s", words, got, status, &out)
	}
	return out.String()
}

// stop stops the daemon.
func (d *daemon) stop() {
	d.s.t.Helper()
	if out := d.run(0, "stop"); out != "" {
		d.s.t.Errorf("stop says:\n%s", out)
	}
	if _, err := os.Stat(pidFile); !errors.Is(err, fs.ErrNotExist) {
		d.s.t.Errorf("the pid file after stop: %v", err)
	}
}

// pid is the process of the pid file, 0 if there is none.
func (d *daemon) pid() int {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// signal sends the daemon a signal.
func (d *daemon) signal(sig syscall.Signal) {
	d.s.t.Helper()
	pid := d.pid()
	if pid == 0 {
		d.s.t.Fatal("there is no daemon")
	}
	if err := syscall.Kill(pid, sig); err != nil {
		d.s.t.Fatalf("sending %v to process %d: %v", sig, pid, err)
	}
}

// kill ends the daemon without its doing, if it runs, and waits until it is no
// more.
func (d *daemon) kill() {
	pid := d.pid()
	if pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
		return
	}
	await(d.s.t, "the killed daemon's end", func() bool { return gone(pid) })
}

// gone says whether a process has ended.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// limit is how long anything may take that is waited for, on a busy machine.
const limit = eventually.Limit

// await waits until ok, which is asked often.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !within(limit, ok) {
		t.Fatalf("%s did not come within %v", what, limit)
	}
}

// within waits until ok, which is asked often, and says whether it was in time.
func within(limit time.Duration, ok func() bool) bool {
	end := time.After(limit)
	for !ok() {
		select {
		case <-end:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}
