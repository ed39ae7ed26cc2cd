package checker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
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
		{"no descriptors", noFiles, errors.New("failed to connect"), false, "could not ask: too many open files", true},
		{"timeout", nil, os.ErrDeadlineExceeded, true, "login: no answer in 5s", false},
		{"timeout hidden by the library", os.ErrDeadlineExceeded, errors.New("busy buffer"), true, "login: no answer in 5s", false},
		{"the server's words", nil, errors.New("go\naway\x1b[1m"), true, "login: go away[1m", false},
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

func TestDialerLimits(t *testing.T) {
	leavesNothing(t)
	addr := listen(t, func(c net.Conn) { io.Copy(c, io.LimitReader(endlessReader{}, 3*maxAnswer/4)) })
	d := newDialer(t.Context())
	defer d.Close()
	for i := range maxConns {
		conn, err := d.dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		// The first two together are more than one check may read.
		_, err = io.Copy(io.Discard, conn)
		if want := i > 0; errors.Is(err, errTooMuch) != want {
			t.Errorf("reading from connection %d: %v", i, err)
		}
	}
	if _, err := d.dial("tcp", addr.String()); !errors.Is(err, errTooOften) {
		t.Errorf("one connection too many: %v, want %v", err, errTooOften)
	}
}

// An endlessReader has always more.
type endlessReader struct{}

func (endlessReader) Read(b []byte) (int, error) { return len(b), nil }

func TestDialerClosed(t *testing.T) {
	leavesNothing(t)
	addr := listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	d := newDialer(ctx)
	conn, err := d.dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading after the check: %v, want %v", err, net.ErrClosed)
	}
	if _, err := d.dial("tcp", addr.String()); !errors.Is(err, context.Canceled) {
		t.Errorf("dialing after the check: %v, want %v", err, context.Canceled)
	}
	d.Close()

	d = newDialer(t.Context())
	d.Close()
	if _, err := d.dial("tcp", addr.String()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dialing after Close: %v, want %v", err, net.ErrClosed)
	}
}

// TestBoundConnDeadline has a library want to wait for longer than the check
// may take.
func TestBoundConnDeadline(t *testing.T) {
	const timeout = 5 * time.Second
	tests := []struct {
		name      string
		set, want time.Duration // 0 is no deadline
	}{
		{"shorter", time.Second, time.Second},
		{"longer", time.Hour, timeout},
		{"none", 0, timeout},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			d := newDialer(ctx)
			defer d.Close()
			client, server := net.Pipe()
			defer server.Close()
			conn, err := d.adopt(client)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			var deadline time.Time
			if tt.set != 0 {
				deadline = begin.Add(tt.set)
			}
			if err := errors.Join(conn.SetDeadline(deadline), conn.SetReadDeadline(deadline), conn.SetWriteDeadline(deadline)); err != nil {
				t.Fatal(err)
			}
			_, err = conn.Read(make([]byte, 1))
			if took := time.Since(begin); err == nil || took != tt.want {
				t.Errorf("%s: reading ended after %v with %v, want %v", tt.name, took, err, tt.want)
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration]string{
			150 * time.Millisecond:              "no answer in 150ms",
			150*time.Millisecond + 3_000_000:    "no answer in 150ms",
			5 * time.Second:                     "no answer in 5s",
			5*time.Second - 20*time.Millisecond: "no answer in 5s",
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

func TestOneLine(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"a b", "a b"},
		{" a\r\n\tb ", "a b"},
		{"a\x00\x1b[1mb", "a[1mb"},
		{"ä\xff", "ä"},
		{strings.Repeat("x", 300), strings.Repeat("x", 200) + "…"},
	}
	for _, tt := range tests {
		if got := oneLine(tt.text); got != tt.want {
			t.Errorf("oneLine(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
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
