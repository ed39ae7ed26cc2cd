package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterDR sets up direct routing with nothing but the program: answers come
// straight from the real servers, and only the director answers for the address.
func TestClusterDR(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 2, `
virtual=VIP:80
    real=RS1:80 gate
    real=RS2:80 gate
    scheduler=rr
    service=http
virtual6=VIP6:80
    real6=RS1_6:80 gate
    real6=RS2_6:80 gate
    scheduler=rr
    service=http
`)
	c.realServers(2, "--vip", lab.VIP+","+lab.VIP6)
	c.host("director", "director", "up")
	c.start()
	c.untilTable("-r 10.0.1.11:80 -g", "-r 10.0.1.12:80 -g", "-r [fd00:0:0:1::11]:80 -g", "-r [fd00:0:0:1::12]:80 -g")
	for _, vip := range []string{lab.VIP, "[" + lab.VIP6 + "]"} {
		if diff := cmp.Diff(map[string]int{"rs1": 5, "rs2": 5}, c.pages("http://"+vip+"/", 10)); diff != "" {
			t.Errorf("pages of %s (-want +got):\n%s", vip, diff)
		}
	}
	t.Run("path", func(t *testing.T) { drPath(t, c) })
	t.Run("arp", func(t *testing.T) { drARP(t, c) })
	t.Run("down", func(t *testing.T) { drDown(t, c) })
}

// drPath sees on the client's cable from whom answers come.
func drPath(t *testing.T, c *cluster) {
	got := c.capture("client", "tcp src port 80 and src host "+lab.VIP, func() {
		if _, err := c.Get("http://" + lab.VIP + "/"); err != nil {
			t.Error(err)
		}
	})
	director := c.mac("director")
	if len(got) == 0 {
		t.Fatal("no answers were seen")
	}
	for _, line := range got {
		if strings.Contains(line, director+" >") {
			t.Errorf("an answer came through the director: %s", line)
		}
	}
}

// drARP sees who answers for the virtual address: the director alone, and the
// real servers too as soon as arp_ignore is left out.
func drARP(t *testing.T, c *cluster) {
	who := func() map[string]bool {
		c.Output("client", "ip", "neigh", "flush", "dev", "eth0")
		owners := map[string]bool{}
		for _, line := range c.capture("client", "arp[6:2] = 2 and arp[14:4] = 0x0a000050", func() {
			if _, err := c.Get("http://" + lab.VIP + "/"); err != nil {
				t.Log(err)
			}
		}) {
			for _, name := range []string{"director", "rs1", "rs2"} {
				if strings.Contains(line, c.mac(name)+" >") {
					owners[name] = true
				}
			}
		}
		return owners
	}
	if diff := cmp.Diff(map[string]bool{"director": true}, who()); diff != "" {
		t.Errorf("who answers for the virtual address (-want +got):\n%s", diff)
	}
	for _, dev := range []string{"all", "lo"} {
		c.must(c.In("rs1", func() error { return sysctl("ipv4/conf/"+dev+"/arp_ignore", "0") }))
	}
	if diff := cmp.Diff(map[string]bool{"director": true, "rs1": true}, who()); diff != "" {
		t.Errorf("without arp_ignore (-want +got):\n%s", diff)
	}
	c.host("rs1", "realserver", "up", "--vip", lab.VIP)
	if diff := cmp.Diff(map[string]bool{"director": true}, who()); diff != "" {
		t.Errorf("after another up (-want +got):\n%s", diff)
	}
}

// drDown takes everything back.
func drDown(t *testing.T, c *cluster) {
	c.host("rs1", "realserver", "down")
	c.host("director", "director", "down")
	for ns, dev := range map[string]string{"rs1": "lo", "director": "eth0"} {
		if got := c.Output(ns, "ip", "address", "show", "dev", dev); strings.Contains(got, lab.VIP+"/") || strings.Contains(got, lab.VIP6+"/") {
			t.Errorf("%s still has the virtual address:\n%s", ns, got)
		}
	}
	got := c.Output("rs1", "sysctl", "-n", "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.arp_announce", "net.ipv4.conf.lo.arp_ignore")
	if got != "0\n0\n0\n" {
		t.Errorf("rs1's parameters are %q", got)
	}
}

// capture is what tcpdump sees at a host's eth0 while f runs, a line for each
// packet that begins with SENDER > RECEIVER on the link.
func (c *cluster) capture(ns, filter string, f func()) []string {
	c.t.Helper()
	out, err := os.Create(filepath.Join(c.t.TempDir(), "packets"))
	c.must(err)
	defer out.Close()
	var said strings.Builder
	dump := c.Command(ns, "tcpdump", "-i", "eth0", "-e", "-nn", "-t", "-l", "--immediate-mode", filter)
	dump.Stdout = out
	ready := make(chan struct{})
	dump.Stderr = readyWriter{&said, ready}
	c.must(dump.Start())
	select {
	case <-ready:
	case <-time.After(eventually.Limit):
		c.t.Fatal("tcpdump does not start")
	}
	f()
	eventually.Holds(func() bool {
		seen, err := out.Stat()
		return err == nil && seen.Size() > 0
	})
	time.Sleep(200 * time.Millisecond) // another answer, if there is one, is on its way
	c.must(dump.Process.Signal(os.Interrupt))
	_ = dump.Wait()
	var lines []string
	text, err := os.ReadFile(out.Name())
	c.must(err)
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// mac is the hardware address of a host's eth0.
func (c *cluster) mac(ns string) string {
	c.t.Helper()
	fields := strings.Fields(c.Output(ns, "ip", "-o", "link", "show", "dev", "eth0"))
	for i, f := range fields {
		if f == "link/ether" {
			return fields[i+1]
		}
	}
	c.t.Fatalf("%s has no hardware address: %v", ns, fields)
	return ""
}

// A readyWriter closes ready when something is written: tcpdump says that it
// listens.
type readyWriter struct {
	to    *strings.Builder
	ready chan struct{}
}

// Write implements io.Writer.
func (w readyWriter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "listening on") {
		close(w.ready)
	}
	return w.to.Write(p)
}
