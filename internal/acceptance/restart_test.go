package acceptance

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// checksFile gets a line for every check.
const checksFile = "/var/log/checks.log"

// TestNothingIsWritten restarts and reloads the daemon in every state that the
// table can be in. When nothing has changed nothing is written to the kernel,
// as seen from its side, and no visitor notices. TestLongNothingIsWritten starts
// over in every way in each of the states.
func TestNothingIsWritten(t *testing.T) {
	nothingIsWritten(t, overs[:2], overs[2:4], overs[4:])
}

func nothingIsWritten(t *testing.T, allIn, oneOut, allOut []over) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	w := s.watch()
	v := quiescent
	d := s.start("cleanstop=yes\ndriftcheck=1\n" + v.config(t) + "    monitorfile = " + checksFile + "\n")
	d.comesUp(v)
	if got := w.taken(); !slices.Contains(got, "NEW_SERVICE") || !slices.Contains(got, "NEW_DEST") {
		t.Errorf("the start asked for %q", got)
	}
	visits, stop := s.visit(s.visitPatiently)
	visits.servedBy("rs1", "rs2")
	t.Run("all in", func(t *testing.T) { testAgain(s.in(t), d.in(t), visits.in(t), w, allIn) })

	s.Web("rs1").Stop()
	d.log.await(v.out(v.r1))
	if diff := cmp.Diff([]string{"SET_DEST"}, w.taken()); diff != "" {
		t.Errorf("a real server's death (-want +got):\n%s", diff)
	}
	t.Run("one out", func(t *testing.T) { testAgain(s.in(t), d.in(t), visits.in(t), w, oneOut) })

	s.Web("rs2").Stop()
	d.log.await("Added fallback server: " + v.fallback + " (" + v.v + ") (Weight set to 1)")
	d.log.await(v.out(v.r2))
	if diff := cmp.Diff([]string{"NEW_DEST", "SET_DEST"}, w.taken()); diff != "" {
		t.Errorf("the last real server's death (-want +got):\n%s", diff)
	}
	t.Run("all out", func(t *testing.T) { testAgain(s.in(t), d.in(t), visits.in(t), w, allOut) })
	stop()

	t.Run("changed meanwhile", func(t *testing.T) {
		d := d.in(t)
		d.kill()
		revive(s, "rs2")
		d.monitor.rest()
		d.startAgain()
		d.monitor.await(v.started("1 of 2 in service; out: " + v.r1 + " (connection refused)"))
		want := []string{"SET_DEST", "DEL_DEST"} // rs2 in before the fallback out
		if diff := cmp.Diff(want, w.taken()); diff != "" {
			t.Errorf("what was asked for (-want +got):\n%s", diff)
		}
	})
}

// An over is a way in which a daemon starts over.
type over struct {
	name string
	over func(*daemon)
}

var overs = []over{
	{"reload", func(d *daemon) { d.signal(syscall.SIGHUP) }},
	{"restart", func(d *daemon) { d.run(0, "restart") }},
	{"try-restart", func(d *daemon) { d.run(0, "try-restart") }},
	{"kill -9 and start", func(d *daemon) {
		d.kill()
		d.startAgain()
	}},
	{"RTMIN+5 and start", func(d *daemon) {
		pid := d.pid()
		d.signal(39)
		await(d.s.t, "the daemon's end", func() bool { return gone(pid) })
		d.startAgain()
	}},
}

// testAgain starts over in each of the ways, without a change to the kernel.
func testAgain(s *site, d *daemon, visits *visits, w *watch, ways []over) {
	from, table := time.Now(), s.Table()
	for _, o := range ways {
		w.taken()
		d.log.rest()
		o.over(d)
		d.log.await("Changed virtual server: " + quiescent.v)
		s.checkedByFile(6)
		if got := w.taken(); len(got) > 0 {
			s.t.Errorf("%s asked the kernel for %q", o.name, got)
		}
		if diff := cmp.Diff(table, s.Table()); diff != "" {
			s.t.Errorf("the table after %s (-before +after):\n%s", o.name, diff)
		}
	}
	visits.next(1)
	for _, one := range visits.since(from) {
		if one.ended && one.err != nil {
			s.t.Errorf("a visit failed: %v", one.err)
		}
	}
}

// startAgain starts the daemon with the logs that it has.
func (d *daemon) startAgain() {
	d.s.t.Helper()
	if out := d.run(0, "start"); out != "" {
		d.s.t.Errorf("start says:\n%s", out)
	}
}

// checkedByFile waits for the results of so many more checks.
func (s *site) checkedByFile(times int) {
	s.t.Helper()
	count := func() int {
		text, err := os.ReadFile(checksFile)
		if err != nil {
			s.t.Fatal(err)
		}
		return strings.Count(string(text), "\n")
	}
	before := count()
	await(s.t, "more checks", func() bool { return count() >= before+times })
}
