package announce

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestKernelTellsNeighbours adds addresses that another director had to the device of a network: the client
// sends to this host at once.
func TestKernelTellsNeighbours(t *testing.T) {
	lab.Root(t, "a network namespace")
	lab.OwnNetwork(t)
	client := lab.Cable(t)
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	vips := []netip.Addr{netip.MustParseAddr("10.0.0.80"), netip.MustParseAddr("fd00::80")}
	for _, vip := range vips {
		client.Believes(vip, net.HardwareAddr{2, 0, 0, 0, 0, 1})
	}
	if added, err := (kernel{}).Add("eth0", vips); err != nil || added != len(vips) {
		t.Fatalf("%d added, %v", added, err)
	}
	for _, vip := range vips {
		eventually.True(t, "the client has this host for "+vip.String(), func() bool {
			return client.Sends(vip) == eth0.Attrs().HardwareAddr.String()
		})
	}
}
