package acceptance

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A pairing is one way to set up a pair of directors.
type pairing struct {
	name       string
	mode       lab.Mode
	ipv6       bool
	mark       bool
	persistent bool
}

// A memory is how the second director of a pair knows a connection of the first one.
type memory struct {
	name string
	sync bool // syncdaemon = both
	mh   bool // scheduler mh on both, and sloppy_tcp
}

var memories = []memory{{name: "nothing"}, {name: "sync daemon", sync: true}, {name: "mh", mh: true}, {name: "both", sync: true, mh: true}}

const (
	pairPort = 7000
	// oldConns have sent something, youngConns are open and have not: the kernel has not
	// carried them to the other director yet.
	oldConns   = 30
	youngConns = 10
)

// survivors returns how many of the old and of the young connections to the pair live on
// when the first director is unplugged.
func (c *pair) survivors(p pairing, m memory) (old, young int) {
	c.t.Helper()
	held := make([]*heldConn, 0, oldConns+youngConns)
	for range oldConns {
		h := c.hold()
		for range 3 {
			if err := h.say(); err != nil {
				c.t.Fatalf("a connection to the first director: %v", err)
			}
		}
		held = append(held, h)
	}
	if m.sync {
		c.awaitCarried(p)
	}
	for range youngConns {
		held = append(held, c.hold())
	}
	c.FailOver()
	for i, h := range held {
		switch err := h.say(); {
		case err != nil: // reset
		case i < oldConns:
			old++
		default:
			young++
		}
	}
	if p.persistent && m.sync {
		c.sameServer(held[0].server)
	}
	return old, young
}

// A pair is two directors with one configuration, the program running on both, and echo
// servers on two real servers.
type pair struct {
	*lab.Net
	t      *testing.T
	binary string
	dir    string
	vip    string
}

func newPair(t *testing.T, p pairing, m memory) *pair {
	t.Helper()
	c := &pair{Net: lab.New(t, p.mode, 2), t: t, binary: lab.Program(t, program), dir: t.TempDir(), vip: lab.VIP}
	if p.ipv6 {
		c.vip = lab.VIP6
	}
	c.SecondDirector()
	for _, rs := range []string{"rs1", "rs2"} {
		echo(t, c.Net, rs, fmt.Sprintf(":%d", pairPort))
	}
	for _, director := range []string{"director", "director2"} {
		if m.mh {
			c.must(c.In(director, func() error { return sysctl("ipv4/vs/sloppy_tcp", "1") }))
		}
		if p.mark {
			c.Output(director, "iptables-legacy", "-t", "mangle", "-A", "PREROUTING", "-d", lab.VIP, "-p", "tcp",
				"--dport", fmt.Sprint(pairPort), "-j", "MARK", "--set-mark", "7")
		}
		c.must(os.WriteFile(c.file(director), []byte(c.config(p, m)), 0o600))
		c.run(director, "start")
		t.Cleanup(func() { c.end(director) })
		eventually.True(t, "the table of "+director, func() bool {
			return strings.Count(c.Output(director, "ipvsadm", "-Sn"), " -r ") == 2
		})
	}
	return c
}

func (c *pair) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *pair) file(director string) string { return filepath.Join(c.dir, director+".cf") }

// words are the arguments of a command for one of the daemons.
func (c *pair) words(director, command string) []string {
	return []string{
		"--rundir=" + filepath.Join(c.dir, director+".run"), "--statedir=" + filepath.Join(c.dir, director+".state"), c.file(director), command,
	}
}

func (c *pair) run(director, command string) string {
	c.t.Helper()
	return c.Output(director, c.binary, c.words(director, command)...)
}

// end ends a daemon when the context of the test is over.
func (c *pair) end(director string) {
	words := append([]string{"--net=/run/netns/" + director, "--", c.binary}, c.words(director, "stop")...)
	if out, err := exec.Command("nsenter", words...).CombinedOutput(); err != nil {
		c.t.Errorf("stopping the daemon of %s: %v\n%s", director, err, out)
	}
}

// config is the configuration of both directors.
func (c *pair) config(p pairing, m memory) string {
	lines := []string{"logfile=" + `"` + filepath.Join(c.dir, "log") + `"`, "monitorlog=none", "checkinterval=1", "checktimeout=30"}
	if m.sync {
		lines = append(lines, "syncdaemon = both eth0 id 7")
	}
	forward, six, virtual := "gate", "", fmt.Sprintf("%s:%d", lab.VIP, pairPort)
	reals := []string{lab.RealServer(1), lab.RealServer(2)}
	if p.mode == lab.NAT {
		forward = "masq"
	}
	if p.ipv6 {
		six, virtual = "6", fmt.Sprintf("[%s]:%d", lab.VIP6, pairPort)
		reals = []string{"[" + lab.RealServer6(1) + "]", "[" + lab.RealServer6(2) + "]"}
	}
	if p.mark {
		virtual = "7"
	}
	lines = append(lines, "virtual"+six+"="+virtual)
	for _, r := range reals {
		lines = append(lines, fmt.Sprintf("    real%s=%s:%d %s", six, r, pairPort, forward))
	}
	lines = append(lines, "    checktype=connect")
	if m.mh {
		lines = append(lines, "    scheduler=mh", "    schedflags=mh-port")
	} else {
		lines = append(lines, "    scheduler=rr")
	}
	if p.mark {
		lines = append(lines, "    protocol=fwm", fmt.Sprintf("    checkport=%d", pairPort))
	} else {
		lines = append(lines, "    protocol=tcp")
	}
	if p.persistent {
		lines = append(lines, "    persistent=600")
	}
	return strings.Join(lines, "\n") + "\n"
}

// echo serves a real server: it answers each line with its name.
func echo(t *testing.T, n *lab.Net, rs, address string) {
	t.Helper()
	l, err := n.Listen(rs, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	lab.Serve(t, l, func(conn net.Conn) {
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			fmt.Fprintln(conn, rs)
		}
	})
}

// A heldConn is a connection of a client through the pair.
type heldConn struct {
	net.Conn
	answers *bufio.Reader
	server  string // that has answered
}

func (c *pair) hold() *heldConn {
	c.t.Helper()
	return hold(c.t, c.Net, net.JoinHostPort(c.vip, fmt.Sprint(pairPort)))
}

// hold opens a connection from the client.
func hold(t *testing.T, n *lab.Net, address string) *heldConn {
	t.Helper()
	conn, err := n.Dial(t.Context(), "client", "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &heldConn{Conn: conn, answers: bufio.NewReader(conn)}
}

// say sends a line and waits for its answer.
func (h *heldConn) say() error {
	if err := h.SetDeadline(time.Now().Add(eventually.Limit)); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(h.Conn, "hello"); err != nil {
		return err
	}
	line, err := h.answers.ReadString('\n')
	if err == nil {
		h.server = strings.TrimSpace(line)
	}
	return err
}

// awaitCarried waits until the second director knows the old connections, and the
// persistence of their client.
func (c *pair) awaitCarried(p pairing) {
	c.t.Helper()
	eventually.True(c.t, "the connections on the second director", func() bool {
		var text []byte
		c.must(c.In("director2", func() (err error) {
			text, err = os.ReadFile("/proc/thread-self/net/ip_vs_conn")
			return err
		}))
		return strings.Count(string(text), "ESTABLISHED") >= oldConns &&
			(!p.persistent || strings.Contains(string(text), " 0000 "))
	})
}

// sameServer wants new connections of the client to go where its old ones are.
func (c *pair) sameServer(server string) {
	c.t.Helper()
	for range 4 {
		h := c.hold()
		if err := h.say(); err != nil || h.server != server {
			c.t.Errorf("a new connection of a persistent client goes to %q (error %v), its old ones are at %s", h.server, err, server)
		}
	}
}
