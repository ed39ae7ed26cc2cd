package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestHostSetupOrder has hostsetup add the address after the table and the first checks, and remove
// it before the table: at a stop, and at one that kills a hung daemon. Reload, restart and a crash
// leave it where it is. An address that keepalived has is left to it.
func TestHostSetupOrder(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 1, "")
	text := `
hostsetup=yes
virtual=VIP:80
    real=RS1:80 gate
    checktype=connect
`
	c.write(text)
	c.must(os.MkdirAll("/etc/keepalived", 0o755))
	c.must(os.WriteFile("/etc/keepalived/keepalived.conf", []byte("vrrp_instance a {\n virtual_ipaddress {\n  10.0.0.83\n }\n}\n"), 0o644))
	t.Cleanup(func() { _ = os.Remove("/etc/keepalived/keepalived.conf") })
	c.realServers(1, "--vip", lab.VIP)
	has := func() bool { return strings.Contains(c.addresses("director"), " "+lab.VIP+"/") }

	c.start()
	await(t, "the address", has)
	c.inOrder("start", "Added real server: "+lab.RealServer(1)+":80", "Host setup: address add "+lab.VIP)

	gone := c.watchAddresses()
	c.Output("director", c.binary, c.file, "reload")
	c.Output("director", c.binary, c.file, "restart")
	a := &announced{cluster: c}
	c.must(syscall.Kill(a.pid(), syscall.SIGKILL))
	c.Output("director", c.binary, c.file, "start")
	c.Web("rs1").Stop()
	c.write(text + "virtual=10.0.0.82:80\n    real=RS1:80 gate\n    checktype=connect\nvirtual=10.0.0.83:80\n    real=RS1:80 gate\n    checktype=connect\n")
	c.Output("director", c.binary, c.file, "reload")
	await(t, "an address whose real servers are dead", func() bool { return strings.Contains(c.addresses("director"), "10.0.0.82/") })
	if got := gone(); got != "" || !has() || strings.Contains(c.addresses("director"), "10.0.0.83/") {
		t.Errorf("addresses that were gone for a moment: %q; now:\n%s", got, c.addresses("director"))
	}

	c.Output("director", c.binary, c.file, "withdraw", lab.VIP)
	await(t, "the order", func() bool { return !has() })
	c.Output("director", c.binary, c.file, "announce", lab.VIP)
	await(t, "its end", has)

	c.must(os.Truncate(c.log(), 0))
	c.Output("director", c.binary, c.file, "stop")
	c.inOrder("stop", "Host setup: taken back: address add "+lab.VIP, "Purged virtual server (stop): "+lab.VIP+":80")

	c.Output("director", c.binary, c.file, "start")
	await(t, "the address", has)
	c.must(os.Truncate(c.log(), 0))
	halt(t, a.pid())
	c.Output("director", c.binary, c.file, "stop")
	c.inOrder("stop of a hung daemon", "Host setup: taken back: address add "+lab.VIP, "Purged virtual server (stop): "+lab.VIP+":80")
}

func (c *cluster) log() string { return filepath.Join(filepath.Dir(c.file), "log") }

// inOrder waits until the log has all lines, and compares their order.
func (c *cluster) inOrder(when string, lines ...string) {
	c.t.Helper()
	var log []byte
	ok := eventually.Holds(func() bool {
		log, _ = os.ReadFile(c.log())
		rest := string(log)
		for _, line := range lines {
			_, after, found := strings.Cut(rest, line)
			if !found {
				return false
			}
			rest = after
		}
		return true
	})
	if !ok {
		c.t.Errorf("%s: the log has\n%swant in this order:\n%s", when, log, strings.Join(lines, "\n"))
	}
}

// watchAddresses watches the director's addresses; the result returns those that went.
func (c *cluster) watchAddresses() func() string {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "addresses")
	out, err := os.Create(file)
	c.must(err)
	cmd := c.Command("director", "ip", "-4", "monitor", "address")
	cmd.Stdout = out
	c.must(cmd.Start())
	return func() string {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		out.Close()
		text, err := os.ReadFile(file)
		c.must(err)
		var gone []string
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "Deleted") {
				gone = append(gone, line)
			}
		}
		return strings.Join(gone, "")
	}
}
