package checker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialerReason(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	noFiles := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	tests := []struct {
		name        string
		broken, err error
		connected   bool
		want        string
		local       bool
	}{
		{"reset", nil, fmt.Errorf("reading: %w", reset), true, "login: connection reset by peer", false},
		{"end", nil, io.ErrUnexpectedEOF, true, "login: closed the connection", false},
		{"hidden by the library", reset, errors.New("invalid connection"), true, "login: connection reset by peer", false},
		{"not connected", nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, false, "connection refused", false},
		{"no descriptors", noFiles, errors.New("failed to connect"), false, "not checked: too many open files", true},
		{"timeout", nil, os.ErrDeadlineExceeded, true, "login: no answer in 5s", false},
		{"timeout, not connected", nil, os.ErrDeadlineExceeded, false, "no answer in 5s while connecting", false},
		{"timeout hidden by the library", os.ErrDeadlineExceeded, errors.New("busy buffer"), true, "login: no answer in 5s", false},
		{"the server's words", nil, errors.New("go\naway\x1b[1m"), true, "login: go away [1m", false},
		{"the library's words", nil, fmt.Errorf("failed to connect to `user=u`: %w", errors.New("what?")), true, "login: what?", false},
		{"joined", nil, errors.Join(errors.New("one"), errors.New("two")), true, "login: two", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			d := newDialer(ctx)
			defer d.Close()
			d.broken = tt.broken
			if tt.connected {
				conn, _ := net.Pipe()
				d.conns = []net.Conn{conn}
			}
			err := d.reason("login", tt.err)
			if err.Error() != tt.want || IsLocal(err) != tt.local {
				t.Errorf("reason = %q (local: %v), want %q", err, IsLocal(err), tt.want)
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration]string{
			150 * time.Millisecond:              "no answer in 150ms",
			150*time.Millisecond - 9_000_000:    "no answer in 150ms",
			5 * time.Second:                     "no answer in 5s",
			5*time.Second - 90*time.Millisecond: "no answer in 5s",
			2500 * time.Millisecond:             "no answer in 2.5s",
		} {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			if got := noAnswer(ctx, time.Now()).Error(); got != want {
				t.Errorf("%v: %q, want %q", timeout, got, want)
			}
			cancel()
			if err := noAnswer(ctx, time.Now()); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		}
	})
}

func TestRecovered(t *testing.T) {
	check := func() (err error) {
		defer recovered(&err)
		var b []byte
		_ = b[len(b)]
		return nil
	}
	if err := check(); !errors.Is(err, errUnclear) {
		t.Errorf("error %v, want %v", err, errUnclear)
	}
}
