package checker

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/ping"
)

// A Ping check is up when an ICMP echo request is answered. It sends one request;
// its caller implements checkcount.
type Ping struct {
	Addr   netip.Addr
	Pinger *ping.Pinger // shared by all pings of the process
}

// String implements Checker.
func (p Ping) String() string { return "ping " + p.Addr.String() }

// Check implements Caller. Its error is a LocalError for a missing right to send
// ICMP and for any other fault of this host.
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
