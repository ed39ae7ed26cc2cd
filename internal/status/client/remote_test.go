package client

import (
	"net"
	"testing"
)

// An end is a connection between two addresses.
type end struct {
	net.Conn
	here, there string
}

func (e end) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.ParseIP(e.here)} }
func (e end) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(e.there)} }

// TestStaysHere knows the connections over which a token in plain text leaves this host.
func TestStaysHere(t *testing.T) {
	for _, tt := range []struct {
		here, there string
		stays       bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", true},
		{"::1", "::1", true},
		{"10.0.0.1", "10.0.0.1", true}, // this host by another name
		{"10.0.0.1", "10.0.0.2", false},
		{"fd00::1", "fd00::2", false},
		{"127.0.0.1", "10.0.0.2", false},
	} {
		if got := staysHere(end{here: tt.here, there: tt.there}); got != tt.stays {
			t.Errorf("from %s to %s: %v, want %v", tt.here, tt.there, got, tt.stays)
		}
	}
}
