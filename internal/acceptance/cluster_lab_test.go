package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A cluster is a network in the lab on whose director and real servers nothing is
// set up: that is what the program under test is for.
type cluster struct {
	*lab.Net
	t      *testing.T
	binary string
	file   string // the configuration
}

// newCluster is a network of so many real servers, with a configuration for the
// director. In it, VIP, VIP6 and RS1, RS2, … stand for addresses.
func newCluster(t *testing.T, mode lab.Mode, realServers int, config string) *cluster {
	t.Helper()
	c := &cluster{Net: lab.New(t, mode, realServers), t: t, binary: lab.Program(t, program)}
	c.must(c.In("director", func() error { return strip("eth0", "eth0") }))
	for i := range realServers {
		c.must(c.In(rs(i+1), func() error {
			if mode == lab.Tun {
				return strip("tunl0", "ip6tnl0")
			}
			return strip("lo", "lo")
		}))
	}
	c.write(config)
	return c
}

func rs(i int) string { return fmt.Sprintf("rs%d", i) }

// strip takes from a host what the lab has set up for IPVS.
func strip(dev, dev6 string) error {
	for _, vip := range [][2]string{{dev, lab.VIP + "/32"}, {dev6, lab.VIP6 + "/128"}} {
		link, err := netlink.LinkByName(vip[0])
		if err != nil {
			return err
		}
		addr, err := netlink.ParseAddr(vip[1])
		if err != nil {
			return err
		}
		_ = netlink.AddrDel(link, addr) // it is on some hosts only
		if link.Type() == "ipip" || link.Type() == "ip6tnl" {
			if err := netlink.LinkSetDown(link); err != nil {
				return err
			}
		}
	}
	for name, value := range map[string]string{
		"ipv4/ip_forward": "0", "ipv6/conf/all/forwarding": "0", "ipv4/conf/*/send_redirects": "1",
		"ipv4/conf/*/arp_ignore": "0", "ipv4/conf/*/arp_announce": "0", "ipv4/conf/*/rp_filter": "1",
	} {
		if err := sysctl(name, value); err != nil {
			return err
		}
	}
	return nil
}

// sysctl sets kernel parameters below net; * is every device.
func sysctl(pattern, value string) error {
	files, err := filepath.Glob("/proc/sys/net/" + pattern)
	if err != nil || len(files) == 0 {
		return errors.Join(fmt.Errorf("no parameter %s", pattern), err)
	}
	for _, file := range files {
		if err := os.WriteFile(file, []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

// write makes text the configuration.
func (c *cluster) write(text string) {
	c.t.Helper()
	if c.file == "" {
		c.file = filepath.Join(c.t.TempDir(), "cluster.cf")
	}
	words := []string{"VIP6", "[" + lab.VIP6 + "]", "VIP", lab.VIP}
	for i := 1; i <= 8; i++ {
		words = append(words, fmt.Sprintf("RS%d_6", i), "["+lab.RealServer6(i)+"]", fmt.Sprintf("RS%d", i), lab.RealServer(i))
	}
	head := "logfile=\"" + filepath.Dir(c.file) + "/log\"\nmonitorlog=none\ncheckinterval=1\nchecktimeout=30\n"
	c.must(os.WriteFile(c.file, []byte(head+strings.NewReplacer(words...).Replace(text)), 0o600))
}

// host runs "ldirectord host" in a namespace, for the director with the
// configuration.
func (c *cluster) host(ns, what, verb string, options ...string) string {
	c.t.Helper()
	args := []string{"host", what, verb}
	if what != "realserver" {
		args = append([]string{c.file}, args...)
	}
	return c.Output(ns, c.binary, append(args, options...)...)
}

// realServers has so many real servers set up for virtual addresses.
func (c *cluster) realServers(n int, options ...string) {
	c.t.Helper()
	for i := range n {
		c.host(rs(i+1), "realserver", "up", options...)
	}
}

// start starts the daemon on the director; it is stopped when the test ends.
func (c *cluster) start() {
	c.t.Helper()
	c.Output("director", c.binary, c.file, "start")
	c.t.Cleanup(func() {
		stop := exec.Command(c.binary, c.file, "stop") // the test's context has ended
		if out, err := stop.CombinedOutput(); err != nil {
			c.t.Errorf("stopping: %v\n%s", err, out)
		}
	})
}

// untilTable waits until the director's table has all these lines.
func (c *cluster) untilTable(want ...string) {
	c.t.Helper()
	table := ""
	for end := time.Now().Add(eventually.Limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		table = c.Table()
		missing := 0
		for _, line := range want {
			if !strings.Contains(table, line) {
				missing++
			}
		}
		if missing == 0 {
			return
		}
	}
	log, _ := os.ReadFile(filepath.Dir(c.file) + "/log")
	c.t.Fatalf("the table is\n%s\nwant\n%s\nlog:\n%s", table, strings.Join(want, "\n"), log)
}

// pages gets a page from the virtual service so often and counts who answered.
func (c *cluster) pages(url string, times int) map[string]int {
	c.t.Helper()
	count := map[string]int{}
	for range times {
		page, err := c.Get(url)
		if err != nil {
			page = "error: " + err.Error()
		}
		count[page]++
	}
	return count
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
