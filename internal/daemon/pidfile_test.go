package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sleeper starts a process whose command line has the word. The kernel shows the
// command line a moment after Start has returned, so the process says when it runs.
func sleeper(t *testing.T, word string) *os.Process {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "echo; read forever", word)
	_, noEnd := cmd.StdinPipe()
	said, err := cmd.StdoutPipe()
	if err := errors.Join(noEnd, err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if _, err := said.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process
}

func TestPIDFileRead(t *testing.T) {
	director := sleeper(t, "/usr/sbin/ldirectord").Pid
	other := sleeper(t, "something else").Pid
	zombie := sleeper(t, "ldirectord")
	zombie.Kill()
	if !waitGone(zombie.Pid, 5*time.Second) {
		t.Error("a process that has ended counts until somebody waits for it")
	}
	tests := map[string]struct {
		text  string
		pid   int
		state state
	}{
		"a director":      {fmt.Sprintln(director), director, running},
		"without newline": {fmt.Sprint(director), director, running},
		"another process": {fmt.Sprintln(other), 0, stale},
		"nobody":          {"999999999\n", 0, stale},
		"ourselves":       {fmt.Sprintln(os.Getpid()), 0, stale},
		"one that ended":  {fmt.Sprintln(zombie.Pid), 0, stale},
		"empty":           {"", 0, stale},
		"rubbish":         {"x", 0, stale},
		"negative":        {fmt.Sprintln(-director), 0, stale},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pid")
			write(t, path, test.text)
			pid, state := pidFile(path).read()
			if pid != test.pid || state != test.state {
				t.Errorf("read %d, state %d, want %d, state %d", pid, state, test.pid, test.state)
			}
		})
	}
	if _, state := pidFile(filepath.Join(t.TempDir(), "pid")).read(); state != stopped {
		t.Errorf("state is %d without a file, want %d", state, stopped)
	}
}

func TestPIDFileClaim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	f := pidFile(path)
	write(t, path, "99999999999 stale\n")
	release, err := f.claim()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if want := fmt.Sprintln(os.Getpid()); err != nil || string(text) != want {
		t.Errorf("the file has %q, %v, want %q", text, err, want)
	}
	if _, err := f.claim(); !errors.Is(err, errRunning) {
		t.Errorf("claiming it again: %v, want %v", err, errRunning)
	}
	release()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if release, err = f.claim(); err != nil {
		t.Fatalf("claiming it after its release: %v", err)
	}
	release()
}

func TestPIDFileOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	f := pidFile(path)
	write(t, path, fmt.Sprintln(sleeper(t, "ldirectord").Pid)) // the original does not lock
	if _, err := f.claim(); !errors.Is(err, errRunning) {
		t.Errorf("claiming the pid file of a running daemon: %v, want %v", err, errRunning)
	}
	os.Remove(path)
	release, err := f.claim()
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	write(t, path, "1\n")
	release()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a file that is another's was removed: %v", err)
	}
	if _, err := pidFile("/nonexistent/x.pid").claim(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("claiming a file without a directory: %v, want %v", err, os.ErrNotExist)
	}
}
