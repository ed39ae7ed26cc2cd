package client

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

func TestNotRunning(t *testing.T) {
	dir := t.TempDir()
	c := New(dir + "/none")
	if _, err := c.Plan(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a socket: %v, want ErrNotRunning", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir + "/dead", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := New(dir + "/dead").Plan(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("with the socket of one that was killed: %v, want ErrNotRunning", err)
	}
}

// TestHung says of a daemon that stands still what is so, and where to look.
func TestHung(t *testing.T) {
	socket := t.TempDir() + "/hung"
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, served := New(socket).Served(ctx)
	_, ordered := New(socket).Order(ctx, report.Order{Verb: report.Drain})
	for err, want := range map[error]string{
		served:  "the daemon does not answer in time: ldirectord status",
		ordered: "the daemon does not answer in time: the order is withdrawn, unless it was in force before: ldirectord show",
	} {
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
