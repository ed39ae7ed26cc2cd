//go:build ha

package acceptance

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A corosyncPair is a pair of directors under corosync and Pacemaker.
type corosyncPair struct {
	*cluster
}

var pairNodes = []string{"director", "director2"}

// newCorosyncPair starts two machines with the files of packaging/examples/pacemaker, and waits until one
// has the address and its table.
func newCorosyncPair(t *testing.T, cib string) *corosyncPair {
	t.Helper()
	p := &corosyncPair{newCluster(t, lab.DR, 2, "")}
	p.realServers(2, "--vip", lab.VIP)
	p.SecondDirector()
	for _, rs := range []string{"rs1", "rs2"} {
		p.Web(rs).Stop()
		echo(t, p.Net, rs, ":80")
	}
	for _, node := range pairNodes {
		p.Machine(node)
		p.Output(node, "cp", p.binary, "/usr/sbin/ldirectord")
		for file, path := range map[string]string{"corosync.conf": "/etc/corosync/corosync.conf", "ldirectord.cf": "/etc/ha.d/ldirectord.cf"} {
			p.WriteFile(node, path, p.example(file), 0o644)
		}
		p.WriteFile(node, "/usr/local/sbin/announce", p.example("announce"), 0o755)
		p.WriteFile(node, "/var/lib/pacemaker/cib/cib.xml", p.example(cib), 0o600)
		p.Output(node, "chown", "hacluster:haclient", "/var/lib/pacemaker/cib/cib.xml")
		p.Output(node, "sysctl", "-w", "net.ipv4.vs.sloppy_tcp=1")
		p.Output(node, "corosync")
		cmd := p.Command(node, "pacemakerd")
		p.must(cmd.Start())
		t.Cleanup(func() { _ = cmd.Wait() }) // killed with the test
	}
	return p
}

// example is the text of a file in packaging/examples/pacemaker.
func (p *corosyncPair) example(name string) string {
	p.t.Helper()
	text, err := os.ReadFile("../../packaging/examples/pacemaker/" + name)
	p.must(err)
	return string(text)
}

// has reports whether a director has the address.
func (p *corosyncPair) has(node string) bool {
	p.t.Helper()
	return strings.Contains(p.Output(node, "ip", "-o", "address", "show", "dev", "eth0"), " "+lab.VIP+"/")
}

// full reports whether the table of a director has both real servers.
func (p *corosyncPair) full(node string) bool {
	p.t.Helper()
	return strings.Count(p.Output(node, "ipvsadm", "-Sn"), " -r ") == 2
}

func (p *corosyncPair) await(what string, ok func() bool) {
	p.t.Helper()
	if eventually.Holds(ok) {
		return
	}
	for _, node := range pairNodes {
		p.t.Logf("%s: %s\n%s", node, p.Output(node, "ip", "-o", "address", "show", "dev", "eth0"), p.Output(node, "ipvsadm", "-Sn"))
		state, _ := p.Command(node, "crm_mon", "-1fA").CombinedOutput() // which fails without Pacemaker
		log, _ := p.Command(node, "tail", "-n", "40", "/var/log/pacemaker/pacemaker.log").CombinedOutput()
		daemon, _ := p.Command(node, "tail", "-n", "20", "/var/log/ldirectord.log").CombinedOutput()
		p.t.Logf("%s\n%s\n%s", state, log, daemon)
	}
	kernel, _ := p.Command("client", "dmesg").CombinedOutput()
	p.t.Fatalf("%s: not within %v\n%s", what, eventually.Limit, kernel[max(0, len(kernel)-3000):])
}

// active waits until one director has the address and its table, and returns it and the other one.
func (p *corosyncPair) active() (node, other string) {
	p.t.Helper()
	p.await("the address on one director, with its table", func() bool {
		for i, at := range pairNodes {
			if p.has(at) && p.full(at) {
				node, other = at, pairNodes[1-i]
			}
		}
		return node != ""
	})
	return node, other
}

// fails unplugs the director with the address, and returns how many of the old and of the young
// connections live on, and the time until the other one has the address.
func (p *corosyncPair) fails(node, other string, carried bool) (old, young int, took time.Duration) {
	p.t.Helper()
	var held []*heldConn
	open := func(n int) {
		for range n {
			held = append(held, hold(p.t, p.Net, lab.VIP+":80"))
		}
	}
	open(oldConns)
	for _, h := range held {
		for range 3 {
			p.must(h.say())
		}
	}
	if carried {
		p.await("the connections on the other director", func() bool {
			return strings.Count(p.Output(other, "cat", "/proc/net/ip_vs_conn"), "ESTABLISHED") >= oldConns
		})
	}
	open(youngConns)
	began := time.Now()
	p.Unplug(node)
	p.await("the address on the other director", func() bool { return p.has(other) })
	took = time.Since(began)
	if !p.full(other) {
		p.t.Error("the address came before the table")
	}
	for i, h := range held {
		switch err := h.say(); {
		case err != nil: // reset
			p.t.Logf("lost: %v", err)
		case i < oldConns:
			old++
		default:
			young++
		}
	}
	return old, young, took
}

// checksFail has the checks of a director fail, or lets them be.
func (p *corosyncPair) checksFail(node, verb string) {
	p.t.Helper()
	p.Output(node, "iptables-legacy", verb, "OUTPUT", "-d", "10.0.1.0/24", "-p", "tcp", "--dport", "80", "-j", "REJECT", "--reject-with", "tcp-reset")
}

// attribute is the value that a node knows of the attribute of a node, as vipcommand has set it.
func (p *corosyncPair) attribute(at, of string) string {
	text, _ := p.Command(at, "attrd_updater", "--name", "served-"+lab.VIP, "--query", "--node", of).Output() // none yet
	_, value, _ := strings.Cut(string(text), `value="`)
	value, _, _ = strings.Cut(value, `"`)
	return value
}

// TestHAPacemaker has a pair under Pacemaker, with the files of packaging/examples/pacemaker: the
// address goes where it is served, a director that dies loses no connection, and the rows of
// docs/scale-out.md have the numbers.
func TestHAPacemaker(t *testing.T) {
	lab.Program(t, program)
	lab.Need(t, "corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents")
	if !lab.InsideLarge(t) {
		return
	}
	document, err := os.ReadFile("../../docs/scale-out.md")
	if err != nil {
		t.Fatal(err)
	}
	row := func(t *testing.T, name string, old, young int, took time.Duration) {
		t.Helper()
		t.Logf("%s: the other director has the address after %v", name, took.Round(100*time.Millisecond))
		if want := fmt.Sprintf("| %s | %d/%d + %d/%d |", name, old, oldConns, young, youngConns); !strings.Contains(string(document), want) {
			t.Errorf("docs/scale-out.md lacks the row\n%s", want)
		}
	}
	t.Run("clone", func(t *testing.T) {
		p := newCorosyncPair(t, "clone.xml")
		node, other := p.active()
		p.await("the table of the other director", func() bool { return p.full(other) })
		p.checksFail(node, "-A")
		p.await("the address where it is served", func() bool { return p.has(other) && !p.has(node) })
		p.checksFail(other, "-A")
		p.await("it is served nowhere", func() bool {
			return p.attribute(node, "director1") == "0" && p.attribute(node, "director2") == "0" && !p.full(other)
		})
		if !p.has(other) {
			t.Error("the address that is served nowhere has left its director")
		}
		p.checksFail(node, "-D")
		p.await("it is served at the first one again", func() bool { return p.has(node) && !p.has(other) && p.full(node) })
		p.checksFail(other, "-D")
		p.await("it is served at both", func() bool { return p.full(other) })
		old, young, took := p.fails(node, other, true)
		row(t, "clone", old, young, took)
	})
	t.Run("group", func(t *testing.T) {
		p := newCorosyncPair(t, "group.xml")
		node, other := p.active()
		if p.full(other) {
			t.Error("both directors have a table")
		}
		old, young, took := p.fails(node, other, false)
		row(t, "group", old, young, took)
	})
}
