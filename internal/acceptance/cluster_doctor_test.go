package acceptance

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterDoctor breaks a cluster in ways of which the doctor speaks, and sees
// that clients feel them and that it finds them.
func TestClusterDoctor(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 1, `
virtual=VIP:80
    real=RS1:80 gate
    service=http
`)
	c.realServers(1, "--vip", lab.VIP)
	c.host("director", "director", "up")
	c.start()
	c.untilTable("-r 10.0.1.11:80 -g")
	if got := c.doctor(); strings.Contains(got, "error ") || strings.Contains(got, "warning ") {
		t.Errorf("while all is well the doctor sees\n%s", got)
	}
	t.Run("arp", func(t *testing.T) {
		for _, name := range []string{"all", "lo"} {
			c.must(c.In("rs1", func() error { return sysctl("ipv4/conf/"+name+"/arp_ignore", "0") }))
		}
		if got, want := c.doctor(), c.mac("rs1")+" (10.0.1.11) answers ARP for the virtual address 10.0.0.80, too"; !strings.Contains(got, want) {
			t.Errorf("the doctor sees\n%s\nwant %s", got, want)
		}
		got, err := c.Command("rs1", c.binary, "doctor", "--vip", lab.VIP).Output()
		if err == nil || !strings.Contains(string(got), "arp_ignore of all devices is 0") {
			t.Errorf("on rs1 it sees, with %v,\n%s", err, got)
		}
		c.host("rs1", "realserver", "up", "--vip", lab.VIP)
	})
	t.Run("state", func(t *testing.T) {
		rules := []string{
			"-p tcp --dport 80 --syn -m state --state NEW -j ACCEPT",
			"-m state --state ESTABLISHED,RELATED -j ACCEPT",
			"-p tcp --dport 80 -j DROP",
		}
		for _, rule := range rules {
			c.Output("director", "iptables", append([]string{"-A", "INPUT"}, strings.Fields(rule)...)...)
		}
		if page, err := c.Get("http://" + lab.VIP + "/"); err == nil {
			t.Errorf("a client got %q through such a packet filter", page)
		}
		if got, want := c.doctor(), "lets connections to 10.0.0.80:80 begin and drops what follows"; !strings.Contains(got, want) {
			t.Errorf("the doctor sees\n%s\nwant %s", got, want)
		}
		c.Output("director", "iptables", "-I", "INPUT", "-d", lab.VIP, "-p", "tcp", "--dport", "80", "-j", "ACCEPT")
		if _, err := c.Get("http://" + lab.VIP + "/"); err != nil {
			t.Errorf("after the cure: %v", err)
		}
	})
}
