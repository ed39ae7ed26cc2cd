package checker

import (
	"context"
	"net/netip"
)

// A Ping check is up when an ICMP echo request is answered. One request is
// sent; checkcount, which repeats it, is the business of whoever asks.
type Ping struct {
	Addr   netip.Addr
	Pinger *Pinger // the one of this process
}

// String implements Checker.
func (p Ping) String() string { return "ping " + p.Addr.String() }

// Check implements Caller. Without the right to send ICMP, and for anything
// else that is our own fault, the error is a LocalError.
func (p Ping) Check(ctx context.Context) (detail string, err error) {
	return "", p.Pinger.ping(ctx, p.Addr)
}
