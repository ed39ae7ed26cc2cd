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

// A readyContext has its deadline when a program has made a file: however long a
// busy machine takes to start the program.
type readyContext struct {
	context.Context
	over chan struct{}
}

func (c readyContext) Done() <-chan struct{} { return c.over }

func (c readyContext) Err() error {
	select {
	case <-c.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// untilThereIs returns a context for a program that makes a file.
func untilThereIs(t *testing.T, file string) context.Context {
	c := readyContext{t.Context(), make(chan struct{})}
	go func() {
		eventually.Holds(func() bool {
			_, err := os.Stat(file)
			return err == nil || t.Context().Err() != nil
		})
		close(c.over)
	}()
	return c
}

// TestDeadline lets programs hang in all the ways that are known. READY is when the
// deadline comes; what obeys TERM has no other end.
func TestDeadline(t *testing.T) {
	const grace, none = 300 * time.Millisecond, eventually.Limit
	tests := []struct {
		name, script string
		grace        time.Duration
		output       string
	}{
		{"obeys TERM", "echo begun; READY; exec sleep 1000", none, "begun\n"},
		{"a child hangs", "READY; sleep 1000; true", none, ""},
		{"ignores TERM", "trap '' TERM; echo begun; READY; sleep 1000; sleep 1000", grace, "begun\n"},
		{"is stopped", "READY; kill -STOP $$", grace, ""},
		{"writes without end", "echo xxxxxxxxxxx; READY; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; sleep 0.01; done", none, "xxxxxxxxxx"},
		{"a grandchild holds the pipe and ignores TERM", "(trap '' TERM; sleep 1000) & READY; exec sleep 1000", none, ""},
		{"tidies up on TERM", "trap 'echo tidied; exit 0' TERM; sleep 1000 & READY; wait", none, "tidied\n"},
	}
	before := openFiles(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			pidFile, ready := filepath.Join(dir, "pid"), filepath.Join(dir, "ready")
			begin := time.Now()
			got, err := Run(untilThereIs(t, ready), Command{
				Shell: "echo $$ >" + pidFile + "; " + strings.ReplaceAll(tt.script, "READY", ": >"+ready),
				Grace: tt.grace, Keep: 10,
			})
			eventually.InTime(t, "Run", begin, tt.grace)
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
