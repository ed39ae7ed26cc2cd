package acceptance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// The clients of the tests: the first four are neighbours, the fifth is not.
var clients = []string{"10.0.2.1", "10.0.2.2", "10.0.2.3", "10.0.2.4", "10.0.3.1"}

// TestClusterPersistence sees for each kind of persistence of the how-tos which
// connections of a client go together, and what becomes of a client whose real
// server dies.
func TestClusterPersistence(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 2, "virtual=VIP:9\n    real=RS1:9 gate\n    checktype=off\n")
	for i := range 2 {
		c.ServeWeb(rs(i+1), 23)
	}
	c.must(c.In("client", addClients))
	c.realServers(2, "--vip", lab.VIP)
	c.host("director", "director", "up")
	c.start()
	t.Run("one port", func(t *testing.T) { persistOnePort(t, c) })
	t.Run("one client", func(t *testing.T) { persistOneClient(t, c) })
	t.Run("mark", func(t *testing.T) { persistMark(t, c) })
	t.Run("netmask", func(t *testing.T) { persistNetmask(t, c) })
	t.Run("death", func(t *testing.T) { persistDeath(t, c) })
}

func addClients() error {
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	for _, ip := range clients {
		addr, err := netlink.ParseAddr(ip + "/16")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(eth0, addr); err != nil {
			return err
		}
	}
	return nil
}

// use has the daemon take another configuration.
func (c *cluster) use(config string, table ...string) {
	c.t.Helper()
	c.write(config)
	c.Output("director", c.binary, c.file, "reload")
	c.untilTable(table...)
}

const persistent = `
    real=RS1:PORT gate
    real=RS2:PORT gate
    scheduler=rr
    checktype=connect
    checkport=80
    persistent=600
`

// persistOnePort: web and telnet of a client each stick, not together (PPC).
func persistOnePort(t *testing.T, c *cluster) {
	c.use("virtual=VIP:80"+strings.ReplaceAll(persistent, "PORT", "80")+"virtual=VIP:23"+strings.ReplaceAll(persistent, "PORT", "23"),
		"-A -t 10.0.0.80:80 -s rr -p 600", "-r 10.0.1.11:80", "-r 10.0.1.12:80",
		"-A -t 10.0.0.80:23 -s rr -p 600", "-r 10.0.1.11:23", "-r 10.0.1.12:23")
	c.server(t, clients[4], 23) // puts the turns of the two services out of step
	differ := 0
	for _, client := range clients[:4] {
		if c.server(t, client, 80) != c.server(t, client, 23) {
			differ++
		}
	}
	if differ == 0 {
		t.Error("web and telnet of every client are on the same real server: they are bound together")
	}
}

// persistOneClient: all ports of a client go together (PCC).
func persistOneClient(t *testing.T, c *cluster) {
	c.use("virtual=VIP:0"+strings.ReplaceAll(persistent, ":PORT", ""),
		"-A -t 10.0.0.80:0 -s rr -p 600", "-r 10.0.1.11:0", "-r 10.0.1.12:0")
	together(t, c)
}

// persistMark: the ports of a mark go together, and no others (PNMPP).
func persistMark(t *testing.T, c *cluster) {
	c.use("virtual=8\n    mark=tcp VIP:80,23"+strings.ReplaceAll(persistent, ":PORT", ""),
		"-A -f 8 -s rr -p 600", "-r 10.0.1.11:0", "-r 10.0.1.12:0")
	c.host("director", "marks", "up")
	c.ServeWeb("director", 8090)
	together(t, c)
	if got, err := c.getAs(clients[0], 8090); got != "director" {
		t.Errorf("a port without the mark: %q, %v; want the director", got, err)
	}
	c.host("director", "marks", "down")
	if got := c.doctor(); !strings.Contains(got, "a packet mark is not set: iptables") {
		t.Errorf("without marks the doctor sees\n%s", got)
	}
}

// together sees that web and telnet of each client are on one real server, and
// that both real servers have clients.
func together(t *testing.T, c *cluster) {
	t.Helper()
	used := map[string]bool{}
	for _, client := range clients {
		web, telnet := c.server(t, client, 80), c.server(t, client, 23)
		if web != telnet {
			t.Errorf("%s: web is on %s, telnet on %s", client, web, telnet)
		}
		used[web] = true
	}
	if len(used) != 2 {
		t.Errorf("of two real servers %v are used", used)
	}
}

// persistNetmask: clients of one network go together.
func persistNetmask(t *testing.T, c *cluster) {
	c.use("virtual=VIP:80"+strings.ReplaceAll(persistent, "PORT", "80")+"    netmask=255.255.255.0\n",
		"-A -t 10.0.0.80:80 -s rr -p 600 -M 255.255.255.0", "-r 10.0.1.11:80", "-r 10.0.1.12:80")
	first := c.server(t, clients[0], 80)
	for _, client := range clients[1:4] {
		if got := c.server(t, client, 80); got != first {
			t.Errorf("%s is on %s, its neighbour on %s", client, got, first)
		}
	}
	if got := c.server(t, clients[4], 80); got == first {
		t.Errorf("%s of another network is on %s, too", clients[4], got)
	}
}

// persistDeath: the how-to's complaint, and both cures.
func persistDeath(t *testing.T, c *cluster) {
	config := "virtual=VIP:80" + strings.ReplaceAll(persistent, "PORT", "80")
	for _, tt := range []struct {
		name, quiescent, dead string
		cure                  bool
		want                  bool // the client is served after the death
	}{
		{"quiescent", "yes", "-w 0", false, false},
		{"quiescent, cured", "yes", "-w 0", true, true},
		{"removed", "no", "", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.use("virtual=VIP:9\n    real=RS1:9 gate\n    checktype=off\n", "-A -t 10.0.0.80:9")
			c.use("quiescent="+tt.quiescent+"\n"+config, "-r 10.0.1.11:80 -g -w 1", "-r 10.0.1.12:80 -g -w 1")
			c.must(c.In("director", func() error { return sysctl("ipv4/vs/expire_quiescent_template", "0") }))
			if tt.cure {
				c.host("director", "director", "up")
			}
			pinned := c.server(t, clients[0], 80)
			c.Web(pinned).Stop()
			addr := map[string]string{"rs1": lab.RealServer(1), "rs2": lab.RealServer(2)}[pinned]
			await(t, "the death of "+pinned, func() bool {
				table := c.Table()
				return !strings.Contains(table, addr+":80 -g -w 1") && (tt.dead == "" || strings.Contains(table, addr+":80 -g "+tt.dead))
			})
			got, err := c.getAs(clients[0], 80)
			if served := err == nil; served != tt.want {
				t.Errorf("after the death of %s: %q, %v; want served %v", pinned, got, err, tt.want)
			}
			c.must(c.Web(pinned).Start())
			await(t, "the return of "+pinned, func() bool { return strings.Contains(c.Table(), addr+":80 -g -w 1") })
		})
	}
}

// server is the one real server that serves a client at a port, time after time.
func (c *cluster) server(t *testing.T, client string, port int) string {
	t.Helper()
	servers := map[string]bool{}
	name := ""
	for range 4 {
		page, err := c.getAs(client, port)
		if err != nil {
			t.Fatalf("%s at port %d: %v", client, port, err)
		}
		name = page
		servers[page] = true
	}
	if len(servers) != 1 {
		t.Fatalf("%s at port %d is served by %v, want one real server", client, port, servers)
	}
	return name
}

// getAs gets the page at a port of the virtual address from one of the client's
// addresses.
func (c *cluster) getAs(client string, port int) (string, error) {
	h := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			err = c.In("client", func() (err error) {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
				conn, err = d.DialContext(ctx, network, address)
				return err
			})
			return conn, err
		},
	}}
	resp, err := h.Get(fmt.Sprintf("http://%s:%d/", lab.VIP, port))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(page)), err
}
