package checker

import (
	"net"
	"net/netip"
	"testing"
)

var _ Talker = Connect{}

func TestConnect(t *testing.T) {
	c := Connect{Addr: netip.MustParseAddrPort("[fd00::1]:80")}
	if got, want := c.String(), "connect to [fd00::1]:80"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got, want := c.Target(), (Target{Network: "tcp", Addr: c.Addr}); got != want {
		t.Errorf("Target() = %+v, want %+v", got, want)
	}
	detail, err := talk(t, c, func(net.Conn) {})
	if detail != "" || err != nil {
		t.Errorf("a listener: %q, %v, want up", detail, err)
	}
}
