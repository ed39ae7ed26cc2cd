package command

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// Every script writes the number of its group first.
const writePid = "echo $$ >%PID%; "

// TestDeadline lets programs hang in all the ways that are known.
func TestDeadline(t *testing.T) {
	const timeout, grace = 150 * time.Millisecond, 300 * time.Millisecond
	tests := []struct {
		name, script string
		most         time.Duration
		output       string
	}{
		{"obeys TERM", "echo begun; exec sleep 1000", timeout, "begun\n"},
		{"a child hangs", "sleep 1000; true", timeout, ""},
		{"ignores TERM", "trap '' TERM; echo begun; sleep 1000; sleep 1000", timeout + grace, "begun\n"},
		{"is stopped", "kill -STOP $$", timeout + grace, ""},
		{"writes without end", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; sleep 0.01; done", timeout, "xxxxxxxxxx"},
		{"a grandchild holds the pipe and ignores TERM", "(trap '' TERM; sleep 1000) & exec sleep 1000", timeout, ""},
		{"tidies up on TERM", "trap 'echo tidied; exit 0' TERM; sleep 1000 & wait", timeout, "tidied\n"},
	}
	before := openFiles(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pidFile := filepath.Join(t.TempDir(), "pid")
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			begin := time.Now()
			got, err := Run(ctx, Command{
				Shell: strings.ReplaceAll(writePid, "%PID%", pidFile) + tt.script,
				Grace: grace, Keep: 10,
			})
			if took := time.Since(begin); took < timeout {
				t.Errorf("took %v, want at least %v", took, timeout)
			}
			eventually.InTime(t, "Run", begin, tt.most)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
			}
			if string(got.Output) != tt.output {
				t.Errorf("output %q, want %q", got.Output, tt.output)
			}
			nobodyLeft(t, readPid(t, pidFile))
		})
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

// TestChildrenLeftBehind runs programs that end at once and leave a child.
func TestChildrenLeftBehind(t *testing.T) {
	t.Run("of a check die", func(t *testing.T) {
		pidFile := filepath.Join(t.TempDir(), "pid")
		begin := time.Now()
		got, err := Run(t.Context(), Command{Shell: "echo $$ >" + pidFile + "; sleep 1000 & echo done"})
		if err != nil || string(got.Output) != "done\n" {
			t.Errorf("Run = %+v, %v", got, err)
		}
		eventually.InTime(t, "Run", begin, 0)
		nobodyLeft(t, readPid(t, pidFile))
	})
	t.Run("of a callback live on", func(t *testing.T) {
		pidFile := filepath.Join(t.TempDir(), "pid")
		_, err := Run(t.Context(), Command{Shell: "echo $$ >" + pidFile + "; sleep 1000 &", LeaveChildren: true})
		if err != nil {
			t.Fatal(err)
		}
		pgid := readPid(t, pidFile)
		if len(group(t, pgid)) != 1 {
			t.Error("the child is gone")
		}
		if err := unix.Kill(-pgid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
	})
	t.Run("in a session of its own holds nothing up", func(t *testing.T) {
		pidFile := filepath.Join(t.TempDir(), "pid")
		begin := time.Now()
		got, err := Run(t.Context(), Command{Shell: "setsid sh -c 'echo $$ >" + pidFile + "; exec sleep 1000' & while ! [ -s " + pidFile + " ]; do sleep 0.01; done; echo done"})
		if err != nil || string(got.Output) != "done\n" {
			t.Errorf("Run = %+v, %v", got, err)
		}
		eventually.InTime(t, "Run", begin, 0)
		if err := unix.Kill(readPid(t, pidFile), unix.SIGKILL); err != nil {
			t.Error(err)
		}
	})
}

// TestManyHang runs a hundred hanging commands at once, several times.
func TestManyHang(t *testing.T) {
	before := openFiles(t)
	for range 2 {
		var wg sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		begin := time.Now()
		for range 100 {
			wg.Go(func() {
				_, err := Run(ctx, Command{Path: "sleep", Args: []string{"1000"}, Stdin: make([]byte, 1<<20)})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
				}
			})
		}
		wg.Wait()
		cancel()
		eventually.InTime(t, "a hundred commands", begin, 300*time.Millisecond)
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

// readPid reads the number that a script wrote.
func readPid(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
