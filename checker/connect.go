package checker

import "net/netip"

// A Connect check is up when a TCP connection can be opened. Nothing is sent.
type Connect struct {
	Addr netip.AddrPort
	// HalfOpen ends the connection after the answer of the server's kernel and
	// before its process sees it: the accept queue, log and counters of the server
	// stay unchanged.
	HalfOpen bool
}

// String implements Checker.
func (c Connect) String() string { return "connect to " + c.Addr.String() }

// Target implements Talker.
func (c Connect) Target() Target {
	return Target{Network: "tcp", Addr: c.Addr, HalfOpen: c.HalfOpen}
}

// Dialogue implements Talker: there is none.
func (c Connect) Dialogue() Dialogue { return nil }
