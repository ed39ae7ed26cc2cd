package report

import (
	"net/netip"
	"testing"
)

func TestRealCalled(t *testing.T) {
	v4, v6, mapped := netip.MustParseAddrPort("10.1.0.1:80"), netip.MustParseAddrPort("[fd00::1]:80"), netip.MustParseAddrPort("10.1.0.1:0")
	for _, tt := range []struct {
		at         netip.AddrPort
		host, name string
		want       bool
	}{
		{v4, "", "10.1.0.1", true},
		{v4, "", "10.1.0.1:80", true},
		{v4, "", "10.1.0.1:81", false},
		{v4, "", "::ffff:10.1.0.1", true},
		{v4, "", "[::ffff:10.1.0.1]:80", true},
		{v4, "", "", false},
		{v4, "", ":80", false},
		{v4, "web1", "web1", true},
		{v4, "web1", "web1:80", true},
		{v4, "web1", "web1:81", false},
		{v4, "web1", "WEB1", true}, // as the name service takes it
		{v4, "Web1", "web1:80", true},
		{v4, "web1", "web", false},
		{v6, "", "fd00::1", true},
		{v6, "", "[fd00::1]", true},
		{v6, "", "FD00:0::1", true},
		{v6, "", "[fd00::1]:80", true},
		{v6, "", "[FD00:0:0::1]:80", true},
		{v6, "", "[FD00::1]:81", false},
		{mapped, "", "10.1.0.1", true},
	} {
		if got := RealCalled(tt.at, tt.host, tt.name); got != tt.want {
			t.Errorf("%s, host %q, called %q: %v, want %v", tt.at, tt.host, tt.name, got, tt.want)
		}
	}
}
