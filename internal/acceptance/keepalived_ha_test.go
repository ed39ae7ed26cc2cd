//go:build ha

package acceptance

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestHAKeepalived has a pair under keepalived, with the files of packaging/examples/keepalived: planned work
// and a director that dies lose no connection, as the rows of docs/scale-out.md say, also while a starved machine
// has both directors take the address, and while the real servers of both are dead one shows the fallback's page.
// What a stop does in its 4 s is TestKeepalivedExample's.
func TestHAKeepalived(t *testing.T) {
	lab.Program(t, program)
	lab.Need(t, "keepalived")
	if !lab.InsideLarge(t) {
		return
	}
	p := newMachinePair(t, "keepalived")
	defer func() {
		for _, node := range pairNodes {
			if t.Failed() {
				t.Logf("keepalived of %s:\n%s", node, p.Output(node, "tail", "-n", "100", keepalivedLog))
			}
		}
	}()
	const first, second = "director", "director2"
	for _, node := range pairNodes {
		text := p.example("keepalived.conf")
		if node == second {
			text = strings.NewReplacer("director1", "director2", "priority 100", "priority 90").Replace(text)
		}
		p.WriteFile(node, "/etc/keepalived/keepalived.conf", text, 0o644)
		p.Output(node, "ldirectord", "start")
		p.keepVIP(node)
	}
	p.await("the address on the first director", func() bool { return p.on(first) && p.full(first) && p.full(second) })
	for _, node := range pairNodes {
		p.await("keepalived's script on "+node, func() bool {
			return p.Command(node, "grep", "-q", "Script(served) succeeded", keepalivedLog).Run() == nil
		})
	}

	p.planned("keepalived: restart, upgrade, reload, crash", first, func(p *machinePair) { p.outlives(first, true) })
	p.planned("keepalived: `ldirectord withdraw`", second, func(p *machinePair) { p.Output(first, "ldirectord", "withdraw") })
	p.planned("keepalived: `ldirectord announce`", first, func(p *machinePair) { p.Output(first, "ldirectord", "announce") })
	p.planned("keepalived: `ldirectord stop`", second, func(p *machinePair) { p.Output(first, "ldirectord", "stop") })
	p.planned("keepalived: `ldirectord start`", first, func(p *machinePair) { p.Output(first, "ldirectord", "start") })
	p.planned("keepalived: keepalived stops", second, func(p *machinePair) {
		p.Output(first, "sh", "-c", "kill $(cat /run/keepalived.pid)")
	})
	p.keepVIP(first)
	p.await("the address on the first director", func() bool { return p.on(first) })

	p.checksFail(first, "-A")
	p.await("the real servers of the first director are dead", func() bool { return p.on(second) })
	p.checksFail(second, "-A")
	p.await("those of both are dead", func() bool { return p.on(first) })
	p.fallback(first)
	p.Output(first, "ldirectord", "stop")
	p.await("the first director has no fallback either", func() bool { return p.on(second) })
	p.fallback(second)
	p.Output(first, "ldirectord", "start")
	p.await("it has it again", func() bool { return p.on(first) })
	p.fallback(first)
	p.checksFail(first, "-D")
	p.checksFail(second, "-D")
	p.await("both have them again", func() bool { return p.on(first) && p.full(first) && p.full(second) })
	p.planned("keepalived: unplugged", second, func(p *machinePair) { p.Unplug(first) })
}

const keepalivedLog = "/run/keepalived.log"

// keepVIP starts keepalived on a director.
func (p *machinePair) keepVIP(node string) {
	p.t.Helper()
	p.Output(node, "sh", "-c", "keepalived --vrrp --dont-fork --log-console --log-detail </dev/null >>"+keepalivedLog+" 2>&1 &")
}
