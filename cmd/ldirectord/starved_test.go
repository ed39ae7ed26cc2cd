package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStarved asks for the status of a daemon that has to share the machine with busy
// loops. TestLongStarved does so for ten minutes.
func TestStarved(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: left out, waits")
	}
	t.Run("like the others", func(t *testing.T) { testStarved(t, 3*time.Second, 0) })
	t.Run("after the others", func(t *testing.T) { testStarved(t, 3*time.Second, 19) })
}

// testStarved asks for a time, of a daemon with this nice value, 0 for that of the
// tests. A hung daemon would
// make status fail; one that only gets too little of the processor must not.
func testStarved(t *testing.T, long time.Duration, nice int) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.cf")
	config := "logfile=\"" + dir + "/log\"\nmonitorlog=" + dir + "/monitor\ncheckinterval=1\n" +
		"virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=on\n"
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "ldirectord") // by this name it is: see TestMain
	if self, err := os.Executable(); err != nil || os.Symlink(self, program) != nil {
		t.Fatalf("no link to %s: %v", self, err)
	}
	run := func(words ...string) error {
		cmd := exec.Command(program, append([]string{file}, words...)...)
		cmd.Env = append(os.Environ(), "WORK="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = errors.New(err.Error() + ": " + strings.TrimSpace(string(out)))
		}
		return err
	}
	if err := run("start"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killAll(dir) })
	pid := readPID(dir + "/ldirectord.t.cf.pid")
	if pid == 0 {
		t.Fatal("there is no pid file")
	}
	if nice > 0 { // 0 is as nice as the tests are
		renice(t, pid, nice)
	}
	for range 8 {
		loop := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := loop.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = loop.Process.Kill()
			_ = loop.Wait() // it was killed
		})
	}
	asked, slowest := 0, time.Duration(0)
	for end := time.Now().Add(long); time.Now().Before(end); asked++ {
		began := time.Now()
		if err := run("status"); err != nil {
			t.Errorf("status: %v", err)
		}
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("asked %d times, the slowest answer took %v", asked, slowest.Round(time.Millisecond))
	if err := run("stop"); err != nil {
		t.Error(err)
	}
}

// renice gives all threads of a process a nice value.
func renice(t *testing.T, pid, nice int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("process %d has no threads: %v", pid, err)
	}
	for _, task := range tasks {
		thread, err := strconv.Atoi(filepath.Base(task))
		if err == nil {
			err = unix.Setpriority(unix.PRIO_PROCESS, thread, nice)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
	}
}
