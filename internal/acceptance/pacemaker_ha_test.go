//go:build ha

package acceptance

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// newCorosyncPair starts two machines with corosync and Pacemaker.
func newCorosyncPair(t *testing.T, cib string) *corosyncPair {
	t.Helper()
	p := &corosyncPair{newMachinePair(t, "pacemaker")}
	for _, node := range pairNodes {
		p.WriteFile(node, "/etc/corosync/corosync.conf", p.example("corosync.conf"), 0o644)
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

// A corosyncPair is a pair of directors under corosync and Pacemaker.
type corosyncPair struct {
	*machinePair
}

// active waits until one director has the address and its table, and returns it and the other one.
func (p *corosyncPair) active() (node, other string) {
	p.t.Helper()
	p.await("the address on one director, with its table", func() bool {
		for i, at := range pairNodes {
			if p.hasVIP(at) && p.full(at) {
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
	p.await("the address on the other director", func() bool { return p.hasVIP(other) })
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

// attribute is the value that a node knows of the attribute of a node, as vipcommand has set it.
func (p *corosyncPair) attribute(at, of string) string {
	text, _ := p.Command(at, "attrd_updater", "--name", "served-"+lab.VIP, "--query", "--node", of).Output() // none yet
	_, value, _ := strings.Cut(string(text), `value="`)
	value, _, _ = strings.Cut(value, `"`)
	return value
}

// standby takes all resources from a node (on), or lets it have some again (off).
func (p *machinePair) standby(at, name, value string) {
	p.t.Helper()
	p.Output(at, "crm_attribute", "--node", name, "--name", "standby", "--update", value)
}

// TestHAPacemaker has a pair under Pacemaker, with the files of packaging/examples/pacemaker: the
// address goes where it is served, planned work and a director that dies lose no connection, and the rows
// of docs/scale-out.md have the numbers.
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
	names := map[string]string{"director": "director1", "director2": "director2"} // Pacemaker's
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
		p.await("the address where it is served", func() bool { return p.hasVIP(other) && !p.hasVIP(node) })
		p.checksFail(other, "-A")
		p.await("it is served nowhere", func() bool {
			return p.attribute(node, "director1") == "0" && p.attribute(node, "director2") == "0" && !p.full(other)
		})
		p.fallback(other)
		if !p.hasVIP(other) {
			t.Error("the address that is served nowhere has left its director")
		}
		p.checksFail(node, "-D")
		p.await("it is served at the first one again", func() bool { return p.hasVIP(node) && !p.hasVIP(other) && p.full(node) })
		p.checksFail(other, "-D")
		p.await("it is served at both", func() bool { return p.full(other) })
		old, young, took := p.fails(node, other, true)
		row(t, "clone", old, young, took)
	})
	t.Run("clone, planned", func(t *testing.T) {
		p := newCorosyncPair(t, "clone.xml")
		node, other := p.active()
		p.await("the table of the other director", func() bool { return p.full(other) && p.attribute(node, names[other]) == "1" })
		p.planned("Pacemaker, clone: restart, upgrade, reload", node, func(p *machinePair) { p.outlives(node, false) })
		p.planned("Pacemaker, clone: `ldirectord withdraw`", other, func(p *machinePair) { p.Output(node, "ldirectord", "withdraw") })
		p.Output(node, "ldirectord", "announce")
		node, other = other, node
		p.await("it is served at both again", func() bool { return p.attribute(node, names[other]) == "1" })
		p.planned("Pacemaker, clone: standby", other, func(p *machinePair) { p.standby(node, names[node], "on") })
	})
	t.Run("group", func(t *testing.T) {
		p := newCorosyncPair(t, "group.xml")
		node, other := p.active()
		if p.full(other) {
			t.Error("both directors have a table")
		}
		p.planned("Pacemaker, group: standby", other, func(p *machinePair) { p.standby(node, names[node], "on") })
		p.standby(other, names[node], "off")
		node, other = other, node
		old, young, took := p.fails(node, other, false)
		row(t, "group", old, young, took)
	})
}
