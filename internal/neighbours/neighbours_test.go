package neighbours

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/ndp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

var mac = net.HardwareAddr{2, 0, 0, 0, 0, 1}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestARPRequest(t *testing.T) {
	vip := netip.MustParseAddr("10.0.0.80")
	want := []byte{
		0, 1, 8, 0, 6, 4, 0, 1,
		2, 0, 0, 0, 0, 1, 10, 0, 0, 80,
		0, 0, 0, 0, 0, 0, 10, 0, 0, 80,
	}
	if diff := cmp.Diff(want, ARPRequest(mac, vip, vip)); diff != "" {
		t.Errorf("gratuitous request (-want +got):\n%s", diff)
	}
}

func TestAdvertisement(t *testing.T) {
	vip := netip.MustParseAddr("fd00::80")
	packet, err := ICMPv6(advertisement(mac, vip, true), vip, netip.IPv6LinkLocalAllNodes())
	must(t, err)
	address := vip.AsSlice()
	want := []byte{6 << 4, 0, 0, 0, 0, 32, 58, 255} // the hop limit of neighbour discovery
	want = append(append(want, address...), netip.IPv6LinkLocalAllNodes().AsSlice()...)
	want = append(want, 136, 0, packet[42], packet[43], 0xa0, 0, 0, 0) // a router, override
	want = append(append(want, address...), 2, 1, 2, 0, 0, 0, 0, 1)
	if diff := cmp.Diff(want, packet); diff != "" {
		t.Errorf("unsolicited advertisement (-want +got):\n%s", diff)
	}
	if _, err := ndp.ParseMessage(packet[40:]); err != nil {
		t.Error(err)
	}
}

// TestAnnounce moves addresses from one director to another: the client, which has the hardware address of
// the first one in its cache, sends to the second one at once. A device without neighbours sends nothing.
func TestAnnounce(t *testing.T) {
	lab.Root(t, "a network namespace")
	lab.OwnNetwork(t)
	client := lab.Cable(t)
	link, err := netlink.LinkByName("eth0")
	must(t, err)
	eth0 := link.Attrs()
	silent := *eth0
	silent.RawFlags |= unix.IFF_NOARP // as of a dummy
	var s Socket
	defer s.Close()
	for _, text := range []string{"10.0.0.80", "fd00::80"} {
		vip := netip.MustParseAddr(text)
		other := vip.Next()
		client.Believes(vip, mac)
		client.Believes(other, mac)
		must(t, s.Announce(&silent, other))
		must(t, s.Announce(eth0, vip))
		eventually.True(t, "the client has the director of "+text, func() bool { return client.Sends(vip) == eth0.HardwareAddr.String() })
		if got := client.Sends(other); got != mac.String() {
			t.Errorf("a device without neighbours has announced %s: the client sends to %s", other, got)
		}
		s.Close() // and the next announcement opens it again
	}
}
