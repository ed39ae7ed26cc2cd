package lab

import (
	"fmt"
	"net"
	"testing"

	"github.com/vishvananda/netlink"
)

// The addresses of a fleet. Director N is 10.0.0.N.
const (
	RoutedVIP = "10.80.0.80" // on no network: reached by routes alone
	Router    = "10.0.0.254" // on the side of the directors and the real servers
	FarClient = "10.9.0.100" // behind the router
	farRouter = "10.9.0.1"
)

// FleetDirector is the name of the namespace of director N.
func FleetDirector(n int) string { return fmt.Sprintf("director%d", n) }

// Fleet builds a network with a client, a router, directors and real servers behind it, and takes it down at
// the end of the test: client, router, director1, …, rs1, …. The router chooses among several paths by
// address and port. The directors have the router as their gateway; IPVS, routes to the virtual address and
// its place on them are left to the test. The real servers have it on lo.
func Fleet(t testing.TB, directors, realServers int) *Net {
	t.Helper()
	n := &Net{t: t, mode: DR, spaces: map[string]*space{}, webs: map[string]*Web{}}
	t.Cleanup(n.close)
	n.check("loading modules", modprobe(DR))
	n.add("switch")
	for _, name := range []string{"out", "front"} {
		n.check("adding a bridge", n.spaces["switch"].addBridge(name))
	}
	n.add("router")
	n.check("connecting the router", n.cable("router", "eth0", "front", []string{Router + "/16"}))
	n.check("connecting the router", n.cable("router", "eth1", "out", []string{farRouter + "/24"}))
	n.check("setting up router", n.spaces["router"].do(func() error {
		return sysctl("ipv4/ip_forward=1", "ipv4/fib_multipath_hash_policy=1", "ipv4/conf/*/send_redirects=0", "ipv4/conf/*/rp_filter=0")
	}))
	n.host("client", "out", FarClient+"/24", farRouter)
	for i := range directors {
		n.host(FleetDirector(i+1), "front", fmt.Sprintf("10.0.0.%d/16", i+1), Router)
	}
	for i := range realServers {
		name := fmt.Sprintf("rs%d", i+1)
		n.host(name, "front", RealServer(i+1)+"/16", Router)
		n.check("setting up "+name, n.spaces[name].do(func() error {
			return sysctl("ipv4/conf/*/arp_ignore=1", "ipv4/conf/*/arp_announce=2", "ipv4/conf/*/rp_filter=0")
		}))
		n.check("adding the VIP", n.spaces[name].addAddress("lo", RoutedVIP+"/32"))
	}
	return n
}

// host adds a host with one cable and a gateway.
func (n *Net) host(name, bridge, cidr, gateway string) {
	n.t.Helper()
	n.add(name)
	n.check("connecting "+name, n.cable(name, "eth0", bridge, []string{cidr}))
	n.check("setting up "+name, n.spaces[name].link.RouteAdd(&netlink.Route{Gw: net.ParseIP(gateway)}))
}
