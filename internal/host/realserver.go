package host

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/ldirectord/ldirectord/conf"
)

// A RealServer is what a real server has to be set up for.
type RealServer struct {
	VIP     netip.Addr   // the virtual address; with masq it may be invalid
	Forward conf.Forward // how the director forwards to it
	Dev     string       // that holds VIP; "" is lo, with ipip the tunnel's device
	Gateway netip.Addr   // the director, for masq; invalid: any will do
}

// Owner is the owner of the steps: one virtual address.
func (r RealServer) Owner() string {
	if !r.VIP.IsValid() {
		return RealServerOwner + "masq"
	}
	return RealServerOwner + r.VIP.String()
}

// RealServerOwner is what the owners of real servers begin with.
const RealServerOwner = "realserver "

// Steps are what the real server needs, in order: how it answers ARP is set
// before the address appears, or it would take the virtual address from the
// director.
func (r RealServer) Steps() ([]Step, error) {
	if r.Forward == conf.Masq {
		return []Step{&Gateway{Via: r.Gateway}}, nil
	}
	if !r.VIP.IsValid() {
		return nil, errors.New("which virtual address?")
	}
	if r.VIP.IsUnspecified() || r.VIP.IsLoopback() || r.VIP.IsMulticast() {
		return nil, fmt.Errorf("%s cannot be a virtual address", r.VIP)
	}
	dev := r.dev()
	var steps []Step
	if r.Forward == conf.IPIP {
		steps = tunnelSteps(r.VIP.Is6(), dev)
	}
	prefix := netip.PrefixFrom(r.VIP, r.VIP.BitLen())
	if r.VIP.Is6() {
		// A host answers for an IPv6 address only on the device that has it, and
		// a route to it is in the kernel's own table.
		return append(steps, newAddress(prefix, dev)), nil
	}
	steps = append(steps, arpSteps(dev)...)
	return append(steps, newAddress(prefix, dev), &Route{Prefix: prefix, Dev: dev}), nil
}

func (r RealServer) dev() string {
	switch {
	case r.Dev != "":
		return r.Dev
	case r.Forward != conf.IPIP:
		return "lo"
	case r.VIP.Is6():
		return "ip6tnl0"
	}
	return "tunl0"
}

// arpSteps make a device answer ARP for its own addresses only, and use only those
// in requests.
func arpSteps(dev string) []Step {
	var steps []Step
	for _, of := range []string{"all", dev} {
		steps = append(steps,
			&Sysctl{Name: "net/ipv4/conf/" + of + "/arp_ignore", Value: "1"},
			&Sysctl{Name: "net/ipv4/conf/" + of + "/arp_announce", Value: "2"})
	}
	return steps
}

// tunnelSteps let a host accept IPIP packets. They arrive on a device that has no
// route to their sender, so the strict reverse path filter would drop them. The
// loose one overrides that of "all", because the larger number counts, and does not
// affect the other devices.
func tunnelSteps(ipv6 bool, dev string) []Step {
	if ipv6 {
		return []Step{&Module{Name: "ip6_tunnel", Sign: "class/net/ip6tnl0"}, &Device{Name: dev}}
	}
	return []Step{
		&Module{Name: "ipip", Sign: "class/net/tunl0"},
		&Device{Name: dev},
		&Sysctl{Name: "net/ipv4/conf/" + dev + "/rp_filter", Value: "2"},
	}
}
