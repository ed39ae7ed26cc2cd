package acceptance

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestWaitOutlives has a real server leave by its checks with return = byhand, and starts the daemon
// over in each way: it stays out until an operator enables it.
func TestWaitOutlives(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	v := gate
	d := s.start("cleanstop=no\nreturn=byhand\n" + v.config(t))
	d.comesUp(v)
	s.Web("rs1").Stop()
	d.monitor.begins(v.r1 + " is gone.")
	revive(s, "rs1")
	waits := func(what string) {
		t.Helper()
		await(t, "good checks of the real server that waits "+what, func() bool {
			out := d.run(0, "why", v.r1)
			return strings.Contains(out, ": waiting\n") && strings.Contains(out, "ldirectord enable "+v.r1)
		})
		if table := s.Table(); strings.Contains(table, "-r "+v.r1+" ") {
			t.Errorf("%s the table has the real server that waits:\n%s", what, table)
		}
	}
	waits("at first")
	for _, o := range outlived {
		d.log.rest()
		o.over(d)
		d.log.await("Changed virtual server: " + v.v)
		waits("after " + o.name)
	}
	d.run(0, "enable", v.r1)
	d.monitor.begins(v.r1 + " is back.")
	s.comesToHold(strings.Join(v.table[:3], "\n"))
}
