package host

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var (
	mac  = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	addr = netip.MustParseAddr("10.0.0.80")
)

func TestARPPacket(t *testing.T) {
	want := []byte{
		0, 1, 8, 0, 6, 4, 0, 1,
		2, 0, 0, 0, 0, 1, 10, 0, 0, 80,
		0, 0, 0, 0, 0, 0, 10, 0, 0, 80,
	}
	if diff := cmp.Diff(want, arpPacket(mac, addr, addr)); diff != "" {
		t.Errorf("gratuitous request (-want +got):\n%s", diff)
	}
}

func TestARPOwner(t *testing.T) {
	reply := arpPacket(mac, addr, addr)
	reply[7] = arpReply
	other := arpPacket(mac, addr.Next(), addr)
	other[7] = arpReply
	tests := []struct {
		name   string
		packet []byte
		want   bool
	}{
		{"reply", reply, true},
		{"padded reply", append(reply, 0, 0, 0), true},
		{"request", arpPacket(mac, addr, addr), false},
		{"another address's", other, false},
		{"cut off", reply[:27], false},
		{"empty", nil, false},
	}
	for _, tt := range tests {
		got, ok := arpOwner(tt.packet, addr)
		if ok != tt.want || ok && got.String() != mac.String() {
			t.Errorf("%s: %v %v, want %v", tt.name, got, ok, tt.want)
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
		owners, err := whoHas(other.Attrs(), netip.MustParseAddr("10.0.0.1"), 100*time.Millisecond)
		if err != nil || len(owners) != 1 || owners[0].String() != eth0.Attrs().HardwareAddr.String() {
			t.Errorf("10.0.0.1 is at %v, %v; want %v", owners, err, eth0.Attrs().HardwareAddr)
		}
		owners, err = whoHas(other.Attrs(), netip.MustParseAddr("10.0.0.2"), 50*time.Millisecond)
		if err != nil || len(owners) != 0 {
			t.Errorf("10.0.0.2 is at %v, %v; want nobody", owners, err)
		}

		s, err := openARP(other.Attrs())
		must(t, err)
		defer unix.Close(s)
		must(t, unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}))
		must(t, newAddress(netip.MustParsePrefix("10.0.0.80/32"), "eth0").do(nil))
		packet := make([]byte, 128)
		n, _, err := unix.Recvfrom(s, packet, 0)
		must(t, err)
		if diff := cmp.Diff(arpPacket(eth0.Attrs().HardwareAddr, addr, addr), packet[:min(n, arpLength)]); diff != "" {
			t.Errorf("announcement (-want +got):\n%s", diff)
		}
	})
}
