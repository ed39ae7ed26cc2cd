package lab

import (
	"net"
	"testing"
	"time"
)

// A connection over a wire takes the round trip that it was made for.
func TestWire(t *testing.T) {
	if !Apart(t) {
		return
	}
	const delay = 30 * time.Millisecond
	l, err := NewWire(t, delay).Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if took := time.Since(began); took < 2*delay {
		t.Errorf("connecting took %v, want at least the round trip of %v", took, 2*delay)
	}
}
