package checker

import "net/netip"

// A Connect check is up when a TCP connection can be opened. Nothing is sent.
type Connect struct {
	Addr netip.AddrPort
	// HalfOpen ends the connection when the server's kernel has answered, before
	// its process sees it: nothing is left in its queue, its log or its counters.
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
