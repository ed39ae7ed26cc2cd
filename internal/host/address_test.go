package host

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestAddressMoves adds addresses that another director had: the client, which still has that director in
// its cache, sends to this host at once.
func TestAddressMoves(t *testing.T) {
	ownNetwork(t)
	client := lab.Cable(t)
	eth0, err := netlink.LinkByName("eth0")
	must(t, err)
	m := &machine{}
	defer m.neighbours.Close()
	for _, text := range []string{"10.0.0.80", "fd00::80"} {
		vip := netip.MustParseAddr(text)
		client.Believes(vip, mac)
		must(t, newAddress(netip.PrefixFrom(vip, vip.BitLen()), "eth0").do(m))
		eventually.True(t, "the client has this host for "+text, func() bool {
			return client.Sends(vip) == eth0.Attrs().HardwareAddr.String()
		})
	}
}
