package client

import (
	"errors"
	"net"
	"testing"
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
