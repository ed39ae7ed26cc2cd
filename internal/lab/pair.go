package lab

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// The addresses of the second director.
const (
	Second      = "10.0.0.2" // on the client's side
	Second6     = "fd00::2"
	SecondBack  = "10.0.1.2" // on the real servers' side
	SecondBack6 = "fd00:0:0:1::2"
)

// SecondDirector adds a second director, director2, beside the first one. It forwards, and
// does not have the VIP; see FailOver.
func (n *Net) SecondDirector() {
	n.t.Helper()
	const name = "director2"
	n.add(name)
	front, back := n.mode.cidr(Second, Second6), n.mode.cidr(SecondBack, SecondBack6)
	if n.mode.oneLAN() {
		front = append(front, back...)
	} else {
		n.check("connecting "+name, n.cable(name, "eth1", "back", back))
	}
	n.check("connecting "+name, n.cable(name, "eth0", "front", front))
	n.check("setting up "+name, n.spaces[name].do(func() error {
		return sysctl(
			"ipv4/ip_forward=1",
			"ipv6/conf/all/forwarding=1",
			"ipv4/conf/*/send_redirects=0")
	}))
}

// FailOver pulls the cables of the first director and gives the second one the virtual
// addresses, as VRRP does, and with NAT those that real servers have as their gateway.
func (n *Net) FailOver() {
	n.t.Helper()
	n.Unplug("director")
	second := n.spaces["director2"]
	n.check("moving the VIP", second.addVIP("eth0", "eth0"))
	if !n.mode.oneLAN() {
		n.check("unplugging the director", n.spaces["switch"].down("director.eth1"))
		for _, cidr := range n.mode.cidr(Back, Back6) {
			n.check("moving the gateway", second.addAddress("eth1", cidr))
		}
	}
	for name, s := range n.spaces {
		n.check("forgetting neighbours of "+name, s.forgetNeighbours())
	}
}

// forgetNeighbours does what the gratuitous ARP of the new holder of an address does.
func (s *space) forgetNeighbours() error {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		list, err := s.link.NeighList(0, family)
		if err != nil {
			return err
		}
		for _, neighbour := range list {
			if err := s.link.NeighDel(&neighbour); err != nil {
				return fmt.Errorf("%s: %w", neighbour.IP, err)
			}
		}
	}
	return nil
}
