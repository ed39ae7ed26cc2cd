package ipvs

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
)

func attribute(typ int, value []byte) []byte { return nl.NewRtAttr(typ, value).Serialize() }

func join(attributes ...[]byte) []byte {
	var b []byte
	for _, a := range attributes {
		b = append(b, a...)
	}
	return b
}

// A kernel before 3.18 does not send a destination's family.
func TestDestinationOfOldKernels(t *testing.T) {
	tests := map[string]struct {
		addr []byte
		ipv6 bool
		want string
	}{
		"IPv4": {[]byte{10, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false, "10.1.0.1:80"},
		"IPv6": {[]byte{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, true, "[fd00::9]:80"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := join(
				attribute(destinationAddress, tt.addr),
				attribute(destinationPort, nl.BEUint16Attr(80)),
				attribute(destinationForward, nl.Uint32Attr(0x103)), // flags above the method
			)
			got := parseDestination(b, tt.ipv6)
			if want := (Destination{AddrPort: netip.MustParseAddrPort(tt.want), Forward: Route}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Whatever comes, reading it ends and does not panic.
func FuzzParseMessages(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte{1}, false)
	f.Add([]byte{0, 0, 1, 0}, false)
	f.Add([]byte{255, 255, 1, 0, 1, 2}, false)
	f.Add(join(attribute(serviceFamily, nl.Uint16Attr(2)), attribute(serviceAddress, []byte{10, 0, 0, 1})), true)
	f.Add(join(attribute(serviceScheduler, []byte("rr")), attribute(serviceMark, []byte{1})), false)
	f.Fuzz(func(_ *testing.T, b []byte, ipv6 bool) {
		_ = parseService(b).String()
		_ = parseDestination(b, ipv6).String()
	})
}
