package lab

import (
	"fmt"
	"math"
	"net"
	"os/exec"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Net is a network of namespaces: client, director, rs1, rs2, …, and switch
// with the bridges between them. The director forwards and holds the VIP; IPVS
// is left to the test. Its methods end the test when the network itself fails,
// so they belong to the test's goroutine unless they return an error.
type Net struct {
	t      testing.TB
	mode   Mode
	spaces map[string]*space
	webs   map[string]*Web
}

// New builds a network with so many real servers and takes it down again at
// the end of the test. A web server listens on port 80 of each of them and of
// the director, for the fallback; its page is the namespace's name.
func New(t testing.TB, mode Mode, realServers int) *Net {
	t.Helper()
	n := &Net{t: t, mode: mode, spaces: map[string]*space{}, webs: map[string]*Web{}}
	t.Cleanup(n.close)
	n.check("loading modules", modprobe(mode))
	n.add("switch")
	for _, name := range []string{"front", "back"} {
		n.check("adding a bridge", n.spaces["switch"].addBridge(name))
	}
	n.add("client")
	n.check("connecting the client", n.cable("client", "eth0", "front", mode.cidr(Client, Client6)))
	n.addDirector()
	for i := 1; i <= realServers; i++ {
		n.addRealServer(i)
	}
	return n
}

// modprobe loads what would load too late, in one process.
func modprobe(mode Mode) error {
	args := []string{"-a", "ipv6", "ip_vs", "bridge", "veth"}
	if mode == Tun {
		args = append(args, "ipip", "ip6_tunnel") // make tunl0 and ip6tnl0
	}
	if out, err := exec.Command("modprobe", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("modprobe: %w: %s", err, out)
	}
	return nil
}

// add makes a namespace with lo up.
func (n *Net) add(name string) {
	n.t.Helper()
	s, err := newSpace(name)
	n.check("adding a namespace", err)
	n.spaces[name] = s
	n.check("setting up "+name, s.do(func() error {
		return sysctl(
			"ipv6/conf/all/accept_dad=0",
			"ipv6/conf/default/accept_dad=0")
	}))
	n.check("setting up "+name, s.up("lo"))
}

func (n *Net) addDirector() {
	n.t.Helper()
	n.add("director")
	front, back := n.mode.cidr(Director, Director6), n.mode.cidr(Back, Back6)
	if n.mode.oneLAN() {
		front = append(front, back...)
	} else {
		n.check("connecting the director", n.cable("director", "eth1", "back", back))
	}
	n.check("connecting the director", n.cable("director", "eth0", "front", front))
	d := n.spaces["director"]
	n.check("adding the VIP", d.addVIP("eth0", "eth0"))
	n.check("setting up director", d.do(func() error {
		return sysctl(
			"ipv4/ip_forward=1",
			"ipv6/conf/all/forwarding=1",
			"ipv4/conf/*/send_redirects=0")
	}))
	if n.mode == Masq {
		n.check("setting up director", d.do(func() error { return sysctl("ipv4/vs/conntrack=1") }))
		for _, tables := range []string{"iptables-legacy", "ip6tables-legacy"} {
			n.Output("director", tables, "-t", "nat", "-A", "POSTROUTING",
				"-o", "eth1", "-m", "ipvs", "--ipvs", "-j", "MASQUERADE")
		}
	}
	n.ServeWeb("director", 80)
}

func (n *Net) addRealServer(i int) {
	n.t.Helper()
	name := fmt.Sprintf("rs%d", i)
	n.add(name)
	bridge := "back"
	if n.mode.oneLAN() {
		bridge = "front"
	}
	n.check("connecting "+name, n.cable(name, "eth0", bridge, n.mode.cidr(RealServer(i), RealServer6(i))))
	n.check("setting up "+name, n.spaces[name].serve(n.mode))
	n.ServeWeb(name, 80)
}

// serve makes a namespace a real server: one that takes the VIP's packets
// without answering for its address, or one that answers by the director.
func (s *space) serve(mode Mode) error {
	switch mode {
	case DR:
		return s.holdVIP("lo", "lo")
	case Tun:
		return s.holdVIP("tunl0", "ip6tnl0")
	case NAT:
		for _, via := range []string{Back, Back6} {
			if err := s.link.RouteAdd(&netlink.Route{Gw: net.ParseIP(via)}); err != nil {
				return fmt.Errorf("routing by %s: %w", via, err)
			}
		}
	}
	return nil
}

func (s *space) holdVIP(dev, dev6 string) error {
	err := s.do(func() error {
		for _, of := range []string{"all", dev} {
			conf := "ipv4/conf/" + of
			if err := sysctl(conf+"/arp_ignore=1", conf+"/arp_announce=2", conf+"/rp_filter=0"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range []string{dev, dev6} {
		if err := s.up(d); err != nil {
			return err
		}
	}
	return s.addVIP(dev, dev6)
}

// addVIP adds the virtual addresses. With a lifetime of 0 the IPv6 one is no
// default source address. Otherwise a director would send its checks and its
// tunnelled packets from it, and the real servers, which have that address too,
// would drop them.
func (s *space) addVIP(dev, dev6 string) error {
	if err := s.addAddress(dev, VIP+"/32"); err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(VIP6 + "/128")
	if err != nil {
		return err
	}
	addr.Flags = unix.IFA_F_NODAD
	addr.ValidLft, addr.PreferedLft = math.MaxUint32, 0
	return s.replaceAddress(dev6, addr)
}

// cable connects a device of a namespace to a bridge.
func (n *Net) cable(name, dev, bridge string, addresses []string) error {
	s, sw := n.spaces[name], n.spaces["switch"]
	on, err := sw.link.LinkByName(bridge)
	if err != nil {
		return err
	}
	port := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: name + "." + dev, MasterIndex: on.Attrs().Index},
		PeerName:      dev,
		PeerNamespace: netlink.NsFd(s.ns),
	}
	if err := sw.link.LinkAdd(port); err != nil {
		return err
	}
	if err := sw.up(port.Name); err != nil {
		return err
	}
	if err := s.up(dev); err != nil {
		return err
	}
	for _, a := range addresses {
		if err := s.addAddress(dev, a); err != nil {
			return err
		}
	}
	return nil
}

// Unplug pulls the cable of a real server, or of the client or the director: its
// packets are lost without an error.
func (n *Net) Unplug(name string) {
	n.t.Helper()
	n.check("unplugging "+name, n.spaces["switch"].down(name+".eth0"))
}

// Plug puts the cable back.
func (n *Net) Plug(name string) {
	n.t.Helper()
	n.check("plugging in "+name, n.spaces["switch"].up(name+".eth0"))
}

func (n *Net) close() {
	for _, w := range n.webs {
		w.Stop()
	}
	for _, s := range n.spaces {
		n.check("removing "+s.name, s.close())
	}
}

// check ends the test if there is an error.
func (n *Net) check(doing string, err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatalf("lab: %s: %v", doing, err)
	}
}

// names returns the namespaces' names, for messages.
func (n *Net) names() []string {
	var names []string
	for name := range n.spaces {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
