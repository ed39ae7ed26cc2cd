package lab

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// A Neighbour is another machine at the end of a cable.
type Neighbour struct {
	t    testing.TB
	link *netlink.Handle
	dev  netlink.Link
}

// Cable makes eth0 in the network namespace of the test, with a cable to a neighbour in a namespace of its own.
func Cable(t testing.TB) *Neighbour {
	t.Helper()
	n := &Neighbour{t: t}
	here, err := netns.Get()
	n.must(err)
	t.Cleanup(func() { here.Close() })
	there, err := netns.New() // and enters it
	n.must(err)
	t.Cleanup(func() { there.Close() })
	n.must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "eth0", PeerNamespace: netlink.NsFd(here)}))
	// Linux keeps an entry for a second against ARP packets that contradict each other.
	n.must(os.WriteFile("/proc/sys/net/ipv4/neigh/eth0/locktime", []byte("0"), 0o644))
	n.must(netns.Set(here))
	eth0, err := netlink.LinkByName("eth0")
	n.must(err)
	n.must(netlink.LinkSetUp(eth0))
	n.link, err = netlink.NewHandleAt(there)
	n.must(err)
	t.Cleanup(n.link.Close)
	n.dev, err = n.link.LinkByName("eth0")
	n.must(err)
	n.must(n.link.LinkSetUp(n.dev))
	address, err := netlink.ParseAddr("10.0.0.9/24") // without one it receives no ARP
	n.must(err)
	n.must(n.link.AddrAdd(n.dev, address))
	eventually.True(t, "the cable", func() bool {
		near, err := netlink.LinkByName("eth0")
		n.must(err)
		far, err := n.link.LinkByName("eth0")
		n.must(err)
		return near.Attrs().OperState == netlink.OperUp && far.Attrs().OperState == netlink.OperUp
	})
	return n
}

// Believes has the neighbour take a machine for the owner of an address.
func (n *Neighbour) Believes(addr netip.Addr, mac net.HardwareAddr) {
	n.t.Helper()
	n.must(n.link.NeighSet(&netlink.Neigh{
		LinkIndex: n.dev.Attrs().Index, IP: addr.AsSlice(), HardwareAddr: mac, State: netlink.NUD_REACHABLE,
	}))
}

// Sends is the hardware address that the neighbour sends packets for an address to, "" if it knows none.
func (n *Neighbour) Sends(addr netip.Addr) string {
	n.t.Helper()
	list, err := n.link.NeighList(n.dev.Attrs().Index, netlink.FAMILY_ALL)
	n.must(err)
	for _, entry := range list {
		if ip, _ := netip.AddrFromSlice(entry.IP); ip.Unmap() == addr {
			return entry.HardwareAddr.String()
		}
	}
	return ""
}

func (n *Neighbour) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}
