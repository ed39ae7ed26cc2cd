package checker

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/ping"
)

// A Ping check is up when an ICMP echo request is answered. One request is
// sent; checkcount, which repeats it, is the business of whoever asks.
type Ping struct {
	Addr   netip.Addr
	Pinger *ping.Pinger // the one of this process
}

// String implements Checker.
func (p Ping) String() string { return "ping " + p.Addr.String() }

// Check implements Caller. Without the right to send ICMP, and for anything
// else that is the fault of this host, the error is a LocalError.
func (p Ping) Check(ctx context.Context) (detail string, err error) {
	begin := time.Now()
	err = p.Pinger.Ping(ctx, p.Addr)
	_, unsent := errors.AsType[ping.UnsentError](err)
	switch {
	case err != nil && err == ctx.Err(): //nolint:errorlint // it is handed through as it is
		return "", noAnswer(ctx, begin)
	case unsent, IsLocal(err):
		return "", LocalError{err}
	}
	return "", err
}
