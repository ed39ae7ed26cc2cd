package acceptance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterSetup has the daemon set up its host itself: addresses and marks come
// with it, follow a reload, and go with it, except what has to stay.
func TestClusterSetup(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 1, `
hostsetup=yes
virtual=8
    mark=tcp VIP:80
    real=RS1 gate
    checktype=connect
    checkport=80
`)
	c.realServers(1, "--vip", lab.VIP+",10.0.0.81")
	c.start()
	await(t, "a page by the mark", func() bool { return c.pages("http://"+lab.VIP+"/", 1)["rs1"] == 1 })

	c.write(`
hostsetup=yes
virtual=10.0.0.81:80
    real=RS1:80 gate
    checktype=connect
    cleanstop=no
virtual=10.0.0.82:80
    real=RS1:80 gate
    checktype=connect
`)
	c.Output("director", c.binary, c.file, "reload")
	await(t, "a page by the new address", func() bool { return c.pages("http://10.0.0.81/", 1)["rs1"] == 1 })
	await(t, "the change of the host", func() bool { return !strings.Contains(c.addresses("director"), lab.VIP+"/") })
	if got := c.Output("director", "iptables-save", "-t", "mangle"); strings.Contains(got, "MARK") {
		t.Errorf("the mark is still there:\n%s", got)
	}

	c.Output("director", c.binary, c.file, "stop")
	if got := c.addresses("director"); strings.Contains(got, "10.0.0.82/") || !strings.Contains(got, "10.0.0.81/32") {
		t.Errorf("after the stop the addresses are\n%s\nwant the one of cleanstop=no", got)
	}
	if diff := cmp.Diff(map[string]int{"rs1": 1}, c.pages("http://10.0.0.81/", 1)); diff != "" {
		t.Errorf("pages after the stop (-want +got):\n%s", diff)
	}
}

// addresses are those of a host's eth0.
func (c *cluster) addresses(ns string) string {
	c.t.Helper()
	return c.Output(ns, "ip", "-4", "address", "show", "dev", "eth0")
}
