package host

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/neighbours"
)

var (
	mac  = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	addr = netip.MustParseAddr("10.0.0.80")
)

func TestARPSender(t *testing.T) {
	reply := neighbours.ARPRequest(mac, addr, addr.Next())
	reply[7] = 2
	probe := neighbours.ARPRequest(mac, netip.IPv4Unspecified(), addr)
	tests := []struct {
		name   string
		packet []byte
		want   string
	}{
		{"reply", reply, "10.0.0.80 false"},
		{"padded reply", append(reply, 0, 0, 0), "10.0.0.80 false"},
		{"announcement", neighbours.ARPRequest(mac, addr, addr), "10.0.0.80 false"},
		{"probe", probe, "10.0.0.80 true"},
		{"cut off", reply[:27], ""},
		{"empty", nil, ""},
	}
	for _, tt := range tests {
		addr, owner, probes := arpSender(tt.packet)
		got := ""
		if owner.String() == mac.String() {
			got = fmt.Sprintf("%s %v", addr, probes)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestWhoHas sends ARP queries on a cable for the address of its other end, and for an
// unused one; and receives the announcement of an added address.
func TestWhoHas(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		other, err := netlink.LinkByName("other")
		must(t, err)
		eth0, err := netlink.LinkByName("eth0")
		must(t, err)
		asked := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}
		p, err := openProbe4(other.Attrs(), true)
		must(t, err)
		defer p.close()
		got, err := whoHave(p, asked, nil, 1, 100*time.Millisecond)
		must(t, err)
		want := map[netip.Addr][]net.HardwareAddr{asked[0]: {eth0.Attrs().HardwareAddr}}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("owners (-want +got):\n%s", diff)
		}

		s, err := openARP(other.Attrs())
		must(t, err)
		defer unix.Close(s)
		must(t, unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}))
		must(t, newAddress(netip.MustParsePrefix("10.0.0.80/32"), "eth0").do(&machine{}))
		packet := make([]byte, 128)
		n, _, err := unix.Recvfrom(s, packet, 0)
		must(t, err)
		if diff := cmp.Diff(neighbours.ARPRequest(eth0.Attrs().HardwareAddr, addr, addr), packet[:min(n, arpLength)]); diff != "" {
			t.Errorf("announcement (-want +got):\n%s", diff)
		}
	})
}
