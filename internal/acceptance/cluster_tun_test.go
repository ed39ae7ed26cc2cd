package acceptance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterTun sends packets to real servers through IPIP tunnels, on one
// network and then in another one behind a router. Answers go straight to the
// client.
func TestClusterTun(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.Tun, 2, `
virtual=VIP:80
    real=RS1:80 ipip
    real=RS2:80 ipip
    scheduler=rr
    service=http
virtual6=VIP6:80
    real6=RS1_6:80 ipip
    real6=RS2_6:80 ipip
    scheduler=rr
    service=http
`)
	c.realServers(2, "--vip", lab.VIP+","+lab.VIP6, "--mode", "ipip")
	c.host("director", "director", "up")
	c.start()
	c.untilTable("-r 10.0.1.11:80 -i", "-r 10.0.1.12:80 -i", "-r [fd00:0:0:1::11]:80 -i", "-r [fd00:0:0:1::12]:80 -i")
	for _, vip := range []string{lab.VIP, "[" + lab.VIP6 + "]"} {
		if diff := cmp.Diff(map[string]int{"rs1": 5, "rs2": 5}, c.pages("http://"+vip+"/", 10)); diff != "" {
			t.Errorf("pages of %s (-want +got):\n%s", vip, diff)
		}
	}
	c.apart() // which checks may have seen
	await(t, "pages of both through a router", func() bool {
		return cmp.Equal(map[string]int{"rs1": 5, "rs2": 5}, c.pages("http://"+lab.VIP+"/", 10))
	})
	c.host("rs1", "realserver", "down")
	if got := c.Output("rs1", "ip", "address", "show", "dev", "tunl0"); strings.Contains(got, lab.VIP) || strings.Contains(got, ",UP") {
		t.Errorf("after down rs1's tunnel is\n%s", got)
	}
}

// apart puts the real servers into a network of their own, with the switch as the
// router between the two.
func (c *cluster) apart() {
	c.t.Helper()
	const front, back = "10.0.0.254", "10.0.1.254"
	c.must(c.In("switch", func() error {
		bridge, err := netlink.LinkByName("back")
		if err != nil {
			return err
		}
		for _, name := range []string{"rs1.eth0", "rs2.eth0"} {
			port, err := netlink.LinkByName(name)
			if err != nil {
				return err
			}
			if err := netlink.LinkSetMaster(port, bridge); err != nil {
				return err
			}
		}
		return sysctl("ipv4/ip_forward", "1")
	}))
	move := func(ns, dev, address, via string) {
		c.t.Helper()
		c.Output(ns, "ip", "address", "add", address+"/24", "dev", dev)
		if via != "" {
			c.Output(ns, "ip", "address", "delete", address+"/16", "dev", dev)
			c.must(c.In(ns, func() error { return routeBy(via) }))
		}
	}
	c.Output("director", "ip", "address", "delete", lab.Back+"/16", "dev", "eth0")
	move("switch", "front", front, "")
	move("switch", "back", back, "")
	move("client", "eth0", lab.Client, front)
	move("director", "eth0", lab.Director, front)
	for i := range 2 {
		move(rs(i+1), "eth0", lab.RealServer(i+1), back)
	}
}
