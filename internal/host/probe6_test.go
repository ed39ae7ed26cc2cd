package host

import (
	"net"
	"net/netip"
	"testing"

	"github.com/mdlayher/ndp"
)

// TestClaimed reads solicitations from no address: that of this program has the hardware address of its
// sender; the kernel's, with a nonce or without, are claims of a machine that is not known.
func TestClaimed(t *testing.T) {
	vip := netip.MustParseAddr("fd00::80")
	for name, tt := range map[string]struct {
		m    ndp.Message
		want string
	}{
		"of this program":   {claimOf(vip, mac), "fd00::80 02:00:00:00:00:01"},
		"of a kernel":       {&ndp.NeighborSolicitation{TargetAddress: vip, Options: []ndp.Option{ndp.NewNonce()}}, "fd00::80 unknown"},
		"without a nonce":   {&ndp.NeighborSolicitation{TargetAddress: vip}, "fd00::80 unknown"},
		"another kind":      {&ndp.RouterSolicitation{}, "none"},
		"an owner's answer": {&ndp.NeighborAdvertisement{TargetAddress: vip}, "none"},
		"a foreign long nonce": {
			&ndp.NeighborSolicitation{TargetAddress: vip, Options: []ndp.Option{&ndp.RawOption{Type: optNonce, Length: 2, Value: []byte("fourteen bytes")}}},
			"fd00::80 unknown",
		},
	} {
		text, err := ndp.MarshalMessageChecksum(tt.m, netip.IPv6Unspecified(), vip)
		must(t, err)
		m, err := ndp.ParseMessage(text)
		must(t, err)
		addr, from := claimed(m)
		got := "none"
		switch {
		case from != nil && len(from) == 0:
			got = addr.String() + " unknown"
		case from != nil:
			got = addr.String() + " " + from.String()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	if got := neighbour(net.HardwareAddr{}, vip); got != "a machine that begins to take it" {
		t.Errorf("a machine that is not known is called %q", got)
	}
}
