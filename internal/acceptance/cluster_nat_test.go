package acceptance

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterNAT has the director between clients and real servers: it changes
// the port, forwards the answers, and lets real servers out with its address.
func TestClusterNAT(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.NAT, 2, `
virtual=VIP:80
    real=RS1:8080 masq
    real=RS2:8080 masq
    scheduler=rr
    service=http
virtual6=VIP6:80
    real6=RS1_6:8080 masq
    real6=RS2_6:8080 masq
    scheduler=rr
    service=http
`)
	for i := range 2 {
		c.ServeWeb(rs(i+1), 8080)
		c.Output(rs(i+1), c.binary, "host", "realserver", "up", "--mode", "masq", "--gateway", lab.Back)
	}
	c.start()
	c.untilTable("-r 10.0.1.11:8080 -m", "-r 10.0.1.12:8080 -m", "-r [fd00:0:0:1::11]:8080 -m", "-r [fd00:0:0:1::12]:8080 -m")
	if got := c.doctor(); !strings.Contains(got, "does not forward packets") || !strings.Contains(got, "10.0.0.80 is on no device") {
		t.Errorf("the doctor sees\n%s", got)
	}
	c.host("director", "director", "up")
	for _, vip := range []string{lab.VIP, "[" + lab.VIP6 + "]"} {
		if diff := cmp.Diff(map[string]int{"rs1": 5, "rs2": 5}, c.pages("http://"+vip+"/", 10)); diff != "" {
			t.Errorf("pages of %s (-want +got):\n%s", vip, diff)
		}
	}
	if got := c.doctor(); strings.Contains(got, "error ") || strings.Contains(got, "warning ") {
		t.Errorf("after up the doctor sees\n%s", got)
	}
	masquerade(t, c)
	c.host("director", "director", "down")
	if got := c.Output("director", "sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"); got != "0\n0\n" {
		t.Errorf("after down forwarding is %q", got)
	}
}

// masquerade sees with which address a real server reaches others.
func masquerade(t *testing.T, c *cluster) {
	outside := c.ServeWeb("client", 8081)
	c.must(c.In("client", func() error { return routeBy(lab.Director) }))
	seen := func(options ...string) string {
		c.host("director", "director", "up", options...)
		resp, err := c.HTTP("rs1").Get("http://" + lab.Client + ":8081/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		clients := outside.Clients()
		return clients[len(clients)-1].String()
	}
	if got := seen(); got != lab.RealServer(1) {
		t.Errorf("without masquerade the client was asked by %s", got)
	}
	if got := seen("--masquerade", "10.0.1.0/24"); got != lab.Director {
		t.Errorf("with masquerade the client was asked by %s", got)
	}
	if diff := cmp.Diff(map[string]int{"rs1": 2, "rs2": 2}, c.pages("http://"+lab.VIP+"/", 4)); diff != "" {
		t.Errorf("pages with masquerade (-want +got):\n%s", diff)
	}
	if got := seen(); got != lab.RealServer(1) {
		t.Errorf("after another up without masquerade the client was asked by %s", got)
	}
}

// routeBy has a host reach all others by a gateway.
func routeBy(via string) error {
	addr, err := netlink.ParseAddr(via + "/32")
	if err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{Gw: addr.IP})
}

// doctor is what the doctor sees on the director.
func (c *cluster) doctor() string {
	c.t.Helper()
	out, err := c.Command("director", c.binary, c.file, "doctor").Output()
	if len(out) == 0 {
		c.t.Fatal(errors.Join(errors.New("the doctor says nothing"), err))
	}
	return string(out)
}
