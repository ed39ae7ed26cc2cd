package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sh is a shell command for the kernel.
func sh(t *testing.T, script string) command {
	t.Helper()
	return command{Args: []string{"/bin/sh", "-c", script}, Env: os.Environ(), Dir: t.TempDir()}
}

// needKernel leaves a test out where Inside would.
func needKernel(t *testing.T) {
	t.Helper()
	if why := leftOut(); why != "" {
		t.Skip(why)
	}
	if err := Install(t.Context(), t.Output(), KernelPackages()...); err != nil {
		t.Fatal(err)
	}
	free, err := takeSlot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(free)
}

func TestBoot(t *testing.T) {
	needKernel(t)
	tests := []struct {
		name, script, out string
		status            int
	}{
		{"output and status", "echo out; echo err >&2; printf 'no newline'; exit 3", "out\nerr\nno newline", 3},
		{
			"kernel, root, signal", "id -u; test -e /.host || modprobe ip_vs && head -c 29 /proc/net/ip_vs; kill -KILL $$",
			"0\nIP Virtual Server version 1.2", 137,
		},
		{"one that lingers", `for i in $(cat /proc/cmdline); do case $i in lab=*) echo 7 >${i#lab=}/status;; esac; done; sleep 1000`, "", 7},
		{"orphans are buried", "(sleep 0.1 & echo $! >p); sleep 0.5; test -e /proc/$(cat p)", "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			status, err := boot(t.Context(), sh(t, tt.script), &out)
			if err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != tt.out || status != tt.status {
				t.Errorf("printed %q and ended with %d, want %q and %d", got, status, tt.out, tt.status)
			}
		})
	}
}

// TestBootLeavesFilesAlone checks that files written inside stay inside.
func TestBootLeavesFilesAlone(t *testing.T) {
	needKernel(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := boot(t.Context(), sh(t, "cat "+file+"; echo -n after >"+file+"; cat "+file), &out); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "beforeafter"; got != want {
		t.Errorf("inside it read %q, want %q", got, want)
	}
	if got, err := os.ReadFile(file); string(got) != "before" || err != nil {
		t.Errorf("outside it is %q, %v", got, err)
	}
}

func TestBootFails(t *testing.T) {
	needKernel(t)
	t.Run("panic", func(t *testing.T) {
		_, err := boot(t.Context(), sh(t, "echo c >/proc/sysrq-trigger; sleep 1000"), &bytes.Buffer{})
		if !errors.Is(err, errKernel) || !strings.Contains(err.Error(), "sysrq triggered crash") {
			t.Errorf("got %v, want the panic", err)
		}
	})
	t.Run("killed", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		started := writerFunc(func([]byte) { cancel(errDeadline) })
		_, err := boot(ctx, sh(t, "echo started; sleep 1000"), started)
		if !errors.Is(err, errKernel) || !errors.Is(err, errDeadline) {
			t.Errorf("got %v, want what killed it", err)
		}
	})
	t.Run("no such command", func(t *testing.T) {
		_, err := boot(t.Context(), command{Args: []string{"/no/such"}, Dir: "/"}, &bytes.Buffer{})
		if !errors.Is(err, errKernel) || !strings.Contains(err.Error(), "starting /no/such") {
			t.Errorf("got %v, want why", err)
		}
	})
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
