package checker

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

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
