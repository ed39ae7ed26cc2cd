package lab

import "fmt"

// The addresses of every network that New builds.
const (
	VIP       = "10.0.0.80" // the virtual service, on the director
	VIP6      = "fd00::80"
	Client    = "10.0.0.100"
	Client6   = "fd00::100"
	Director  = "10.0.0.1" // on the client's side
	Director6 = "fd00::1"
	Back      = "10.0.1.1" // the director, on the real servers' side
	Back6     = "fd00:0:0:1::1"
)

// RealServer is the address of rsN, where N is 1, 2, ….
func RealServer(n int) string { return fmt.Sprintf("10.0.1.%d", 10+n) }

// RealServer6 is the IPv6 address of rsN: that of rs1 ends in 11.
func RealServer6(n int) string { return fmt.Sprintf("fd00:0:0:1::%d", 10+n) }

// A Mode is how packets get from the director to the real servers and back.
type Mode string

// The modes. With DR and Tun all are on one network and the real servers hold the
// VIP, too; with NAT and Masq the director connects two networks.
const (
	DR   Mode = "dr"   // for gate: the VIP is on lo of the real servers
	Tun  Mode = "tun"  // for ipip: on their tunl0 and ip6tnl0
	NAT  Mode = "nat"  // for masq: the director is their gateway
	Masq Mode = "masq" // as NAT, with the director masquerading and no gateway
)

// oneLAN reports whether client and real servers are on the same network.
func (m Mode) oneLAN() bool { return m == DR || m == Tun }

// cidr is an address with the length of its network's prefix in this mode.
func (m Mode) cidr(v4, v6 string) []string {
	if m.oneLAN() {
		return []string{v4 + "/16", v6 + "/48"}
	}
	return []string{v4 + "/24", v6 + "/64"}
}
