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

// A machinePair is two directors that are machines of their own, with the program and the files of a
// directory in packaging/examples, and echo servers on two real servers.
type machinePair struct {
	*cluster
	directory string
	document  string // docs/scale-out.md
}

// calm is what docs/scale-out.md counts, with fewer lines than everyone: that leaves more of the CPU to the
// programs that move an address.
var calm = size{60, 25, 5 * pause}

var pairNodes = []string{"director", "director2"}

// newMachinePair starts two machines whose address is moved by what the directory is named for.
func newMachinePair(t *testing.T, directory string) *machinePair {
	t.Helper()
	p := &machinePair{cluster: newCluster(t, lab.DR, 2, ""), directory: directory}
	document, err := os.ReadFile("../../docs/scale-out.md")
	p.must(err)
	p.document = string(document)
	p.realServers(2, "--vip", lab.VIP)
	p.SecondDirector()
	p.Web("director").Stop()
	for _, rs := range []string{"rs1", "rs2"} {
		p.Web(rs).Stop()
		echo(t, p.Net, rs, ":80")
	}
	for _, node := range pairNodes {
		p.Machine(node)
		p.Output(node, "cp", p.binary, "/usr/sbin/ldirectord")
		p.WriteFile(node, "/etc/ha.d/ldirectord.cf", p.example("ldirectord.cf"), 0o644)
		p.Output(node, "sh", "-c", "ip -o monitor address </dev/null >/run/moves 2>&1 &")
	}
	return p
}

// in is the pair in a subtest.
func (p *machinePair) in(t *testing.T) *machinePair {
	c, q := *p.cluster, *p
	c.t, q.cluster = t, &c
	return &q
}

// example is the text of a file of the directory.
func (p *machinePair) example(name string) string {
	p.t.Helper()
	text, err := os.ReadFile("../../packaging/examples/" + p.directory + "/" + name)
	p.must(err)
	return string(text)
}

// on reports whether a director has the address, and the other one has not.
func (p *machinePair) on(node string) bool {
	p.t.Helper()
	for _, at := range pairNodes {
		if p.hasVIP(at) != (at == node) {
			return false
		}
	}
	return true
}

// moves is how often the address has come to a director or left it.
func (p *machinePair) moves(node string) int {
	p.t.Helper()
	return strings.Count(p.Output(node, "cat", "/run/moves"), " "+lab.VIP+"/")
}

// full reports whether the table of a director has both real servers.
func (p *machinePair) full(node string) bool {
	p.t.Helper()
	table := p.Output(node, "ipvsadm", "-Sn")
	return strings.Contains(table, lab.RealServer(1)) && strings.Contains(table, lab.RealServer(2))
}

func (p *machinePair) await(what string, ok func() bool) {
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

// checksFail has the checks of a director fail (-A), or lets them be (-D).
func (p *machinePair) checksFail(node, verb string) {
	p.t.Helper()
	p.Output(node, "iptables-legacy", verb, "OUTPUT", "-d", "10.0.1.0/24", "-p", "tcp", "--dport", "80", "-j", "REJECT", "--reject-with", "tcp-reset")
}

// fallback wants the client to get the answer of the fallback on a director.
func (p *machinePair) fallback(node string) {
	p.t.Helper()
	p.t.Run("fallback", func(t *testing.T) {
		echo(t, p.Net, node, ":80")
		var line string
		var err error
		if !eventually.Holds(func() bool {
			line, err = ask(t, p.Net, lab.VIP+":80")
			return err == nil && line == node
		}) {
			t.Errorf("the client has the answer %q and the error %v, want that of the fallback on %s", line, err, node)
		}
	})
}

// outlives has the program on a director start over in each way that never withdraws, also by a crash if
// nothing else starts it then.
func (p *machinePair) outlives(node string, crash bool) {
	p.t.Helper()
	before := p.moves(node)
	p.Output(node, "ldirectord", "restart")
	p.Output(node, "sh", "-c", "cp /usr/sbin/ldirectord /usr/sbin/newer && mv /usr/sbin/newer /usr/sbin/ldirectord && ldirectord restart")
	p.Output(node, "ldirectord", "reload")
	if crash {
		p.Output(node, "sh", "-c", "pid=$(cat /run/ldirectord.ldirectord.pid) && kill -KILL $pid && while kill -0 $pid; do sleep 0.1; done; ldirectord start")
	}
	p.await("it serves", func() bool { return p.Command(node, "ldirectord", "served", lab.VIP).Run() == nil })
	p.t.Logf("the address has moved %d times", p.moves(node)-before)
}

// planned does something while a client holds connections, waits until the address is on a director, and wants
// docs/scale-out.md to have the row with how many connections live on and how many were refused.
func (p *machinePair) planned(name, to string, do func(*machinePair)) {
	p.t.Helper()
	p.t.Run(name, func(t *testing.T) {
		p := p.in(t)
		var took time.Duration
		c := newAudience(t, p.Net, lab.VIP+":80", calm)
		alive, held, refused := c.during(name, false, func() {
			began := time.Now()
			do(p)
			p.await("the address on "+to, func() bool { return p.hasVIP(to) && p.full(to) })
			took = time.Since(began)
		})
		t.Logf("%s: %d of %d connections live on, %d were refused, %v", name, alive, held, refused, took.Round(100*time.Millisecond))
		if row := fmt.Sprintf("| %s | %d/%d | %d |\n", name, alive, held, refused); !strings.Contains(p.document, row) {
			t.Errorf("docs/scale-out.md lacks the row\n%s", row)
		}
	})
}
