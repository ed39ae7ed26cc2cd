package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestKeepalivedExample has keepalived on two directors with packaging/examples/keepalived: the virtual
// address leaves the first one while the second one serves it and the first one does not, and stays
// on the first one while neither does. At a stop of the first daemon it leaves before the table.
func TestKeepalivedExample(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	lab.Need(t, "keepalived")
	if !lab.Inside(t) {
		return
	}
	text, err := os.ReadFile("../../packaging/examples/keepalived/keepalived.conf")
	if err != nil {
		t.Fatal(err)
	}
	a := &announced{cluster: newCluster(t, lab.DR, 2, "")}
	a.realServers(2, "--vip", lab.VIP)
	const installed = "/usr/sbin/ldirectord"
	_ = os.Remove(installed) // the original, in the lab only
	copyFile(t, a.binary, installed, 0o755)
	a.binary, a.file = installed, "/etc/ha.d/ldirectord.cf"
	a.must(os.MkdirAll(filepath.Dir(a.file), 0o755))
	a.write("announcedelay=0\nwithdrawdelay=4\nvirtual=VIP:80\n    real=RS1:80 gate\n    real=RS2:80 gate\n    checktype=connect\n")
	// The second director is in the client's namespace, and serves while this file is there.
	serves := filepath.Join(t.TempDir(), "serves")
	second := strings.NewReplacer("director1", "director2", "priority 100", "priority 90",
		"/usr/sbin/ldirectord served 10.0.0.80", "/usr/bin/test -e "+serves).Replace(string(text))
	a.keepalived("director", string(text))
	a.keepalived("client", second)
	a.start()

	at := func(when, ns string) {
		t.Helper()
		other := map[string]string{"director": "client", "client": "director"}[ns]
		await(t, when, func() bool {
			return strings.Contains(a.addresses(ns), lab.VIP+"/") && !strings.Contains(a.addresses(other), lab.VIP+"/")
		})
	}
	at("the address is on the first director", "director")
	a.must(os.WriteFile(serves, nil, 0o644))
	await(t, "it is served", func() bool { return a.status("served", lab.VIP) == 0 })
	a.Web("rs1").Stop()
	a.Web("rs2").Stop()
	at("the real servers of the first director are dead", "client")
	a.must(os.Remove(serves))
	at("those of both are dead", "director")
	a.must(os.WriteFile(serves, nil, 0o644))
	at("the second director has some", "client")
	a.must(a.Web("rs1").Start())
	at("both have some", "director")
	stop := a.Command("director", a.binary, a.file, "stop")
	a.must(stop.Start())
	at("the daemon of the first director stops", "client")
	if table := a.Table(); !strings.Contains(table, " -r ") {
		t.Errorf("the address has left the first director after the table: %q", table)
	}
	a.must(stop.Wait())
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
