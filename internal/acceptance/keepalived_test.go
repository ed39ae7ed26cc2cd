package acceptance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestKeepalivedExample has keepalived on two directors with packaging/examples/keepalived: the virtual
// address is on the first one while neither serves it, with the fallback's page, on the second one while
// only that serves it, and on the first one while both do. At a stop of the first daemon it leaves before
// the table. TestHAKeepalived has clients and two machines.
func TestKeepalivedExample(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	lab.Need(t, "keepalived")
	if !lab.Inside(t) {
		return
	}
	example := func(name string) string {
		text, err := os.ReadFile("../../packaging/examples/keepalived/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	a := &announced{cluster: newCluster(t, lab.DR, 2, "")}
	a.realServers(2, "--vip", lab.VIP)
	const installed = "/usr/sbin/ldirectord"
	_ = os.Remove(installed) // the original, in the lab only
	copyFile(t, a.binary, installed, 0o755)
	a.binary, a.file = installed, "/etc/ha.d/ldirectord.cf"
	a.must(os.MkdirAll(filepath.Dir(a.file), 0o755))
	a.write("announcedelay=0\n" + strings.Replace(example("ldirectord.cf"), "checkinterval = 2", "", 1))
	// The second director is in the client's namespace, and serves while this file is there.
	serves := filepath.Join(t.TempDir(), "serves")
	text := example("keepalived.conf")
	second := strings.NewReplacer("director1", "director2", "priority 100", "priority 90",
		"/usr/sbin/ldirectord served 10.0.0.80", "/usr/bin/test -e "+serves).Replace(text)
	a.Web("rs1").Stop()
	a.Web("rs2").Stop()
	a.start()
	a.keepalived("director", text)
	a.keepalived("client", second)

	at := func(when, ns, other string) {
		t.Helper()
		await(t, when, func() bool { return a.hasVIP(ns) && !a.hasVIP(other) })
	}
	at("neither director serves", "director", "client")
	await(t, "the fallback's page", func() bool { return a.pages("http://"+lab.VIP+"/", 1)["director"] == 1 })
	if a.hasVIP("client") {
		t.Error("both directors have the address")
	}
	a.must(os.WriteFile(serves, nil, 0o644))
	at("the second one serves", "client", "director")
	a.must(a.Web("rs1").Start())
	at("both serve", "director", "client")
	stop := a.Command("director", a.binary, a.file, "stop")
	a.must(stop.Start())
	at("the daemon of the first director stops", "client", "director")
	if table := a.Table(); !strings.Contains(table, " -r ") {
		t.Errorf("the address has left the first director after the table: %q", table)
	}
	a.must(stop.Wait())
}

// hasVIP reports whether the virtual address is on eth0 of a host: without a process, as keepalived needs
// the CPU meanwhile.
func (c *cluster) hasVIP(ns string) (has bool) {
	c.t.Helper()
	c.must(c.In(ns, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		addrs, err := netlink.AddrList(link, netlink.FAMILY_V4)
		has = slices.ContainsFunc(addrs, func(a netlink.Addr) bool { return a.IP.String() == lab.VIP })
		return err
	}))
	return has
}

// keepalived runs keepalived with a configuration in a namespace, until the end of the test.
func (c *cluster) keepalived(ns, text string) {
	c.t.Helper()
	dir := c.t.TempDir()
	file := filepath.Join(dir, "keepalived.conf")
	c.must(os.WriteFile(file, []byte(text), 0o644))
	log, err := os.Create(filepath.Join(dir, "log"))
	c.must(err)
	cmd := c.Command(ns, "/usr/sbin/keepalived", "--vrrp", "--dont-fork", "--log-console", "--use-file", file,
		"--pid", filepath.Join(dir, "pid"), "--vrrp_pid", filepath.Join(dir, "vrrp.pid"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	c.must(cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait() // by the signal
		if out, err := os.ReadFile(log.Name()); err == nil && c.t.Failed() {
			c.t.Logf("keepalived of %s:\n%s", ns, out)
		}
	})
}
