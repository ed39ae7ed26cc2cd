package checker

import "net/netip"

// A Connect check is up when a TCP connection can be opened. Nothing is sent.
type Connect struct {
	Addr netip.AddrPort
}

// String implements Checker.
func (c Connect) String() string { return "connect to " + c.Addr.String() }

// Target implements Talker.
func (c Connect) Target() Target { return Target{Network: "tcp", Addr: c.Addr} }

// Dialogue implements Talker: there is none.
func (c Connect) Dialogue() Dialogue { return nil }
