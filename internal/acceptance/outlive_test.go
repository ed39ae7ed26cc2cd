package acceptance

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/report"
)

// outlived are the reloads and restarts over which the daemon keeps what it knows of a real
// server.
var outlived = []over{{"stop and start", func(d *daemon) {
	d.stop()
	d.startAgain()
}}, overs[0], overs[1], overs[3]} // reload, restart, kill -9 and start

// TestHistoryAndDampingOutlive has a real server go down twice, which is once too often, and starts
// the daemon over in each way: the history has it all the time, with growing numbers, and the real
// server stays out until an operator enables it.
func TestHistoryAndDampingOutlive(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	const history = "/var/lib/ldirectord/etc!ha.d!ldirectord.cf.history.jsonl"
	if err := os.RemoveAll(history); err != nil { // that of an earlier test in this boot
		t.Fatal(err)
	}
	s := newSite(t, lab.DR)
	v := gate
	d := s.start("cleanstop=no\nflapdamping = 2 in 10m\n" + v.config(t))
	d.comesUp(v)
	s.Web("rs1").Stop()
	d.monitor.begins(v.r1 + " is gone.")
	revive(s, "rs1")
	d.monitor.begins(v.r1 + " is back.")
	s.Web("rs1").Stop()
	d.monitor.begins(v.r1 + " is damped.")
	revive(s, "rs1")
	damped := func(what string) {
		t.Helper()
		await(t, "good checks of the damped real server "+what, func() bool {
			out := d.run(0, "why", v.r1)
			return strings.Contains(out, ": damped\n") && strings.Contains(out, "enable lets it in")
		})
		if table := s.Table(); strings.Contains(table, "-r "+v.r1+" ") {
			t.Errorf("%s the table has the damped real server:\n%s", what, table)
		}
	}
	damped("at first")
	starts := 1
	for _, o := range outlived {
		d.log.rest()
		o.over(d)
		d.log.await("Changed virtual server: " + v.v)
		damped("after " + o.name)
		if o.name != "reload" {
			starts++
		}
		notes := d.history()
		if gone, is, started := count(notes, "gone"), count(notes, "damped"), count(notes, "daemon started"); gone != 2 || is != 1 || started != starts {
			t.Errorf("after %s the history has %d gone, %d damped and %d starts, want 2, 1 and %d:\n%s", o.name, gone, is, started, starts, d.run(0, "history"))
		}
	}
	if out := d.run(0, "history"); strings.Count(out, "no end of the one before is recorded") != 1 {
		t.Errorf("the history does not have the one crash:\n%s", out)
	}
	info, err := os.Stat(history)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the history has the mode %v, want 0600", info.Mode())
	}
	d.run(0, "enable", v.r1)
	d.monitor.begins(v.r1 + " is back.")
	s.comesToHold(strings.Join(v.table[:3], "\n"))
}

// history is the history by its command; the numbers of its notes grow.
func (d *daemon) history() (notes []report.Note) {
	d.s.t.Helper()
	out := d.run(0, "history", "--json", "--limit", "1000")
	if err := json.Unmarshal([]byte(out), &notes); err != nil {
		d.s.t.Fatalf("%v in:\n%s", err, out)
	}
	for i := 1; i < len(notes); i++ {
		if notes[i].Seq <= notes[i-1].Seq || notes[i].Time.Before(notes[i-1].Time.Add(-time.Second)) {
			d.s.t.Errorf("%+v follows %+v", notes[i], notes[i-1])
		}
	}
	return notes
}

func count(notes []report.Note, kind string) (n int) {
	for _, note := range notes {
		if note.Kind == kind {
			n++
		}
	}
	return n
}

// begins awaits a line that begins so.
func (l tail) begins(beginning string) {
	l.t.Helper()
	l.until("line that begins with "+beginning, func(news []string) int {
		return 1 + slices.IndexFunc(news, func(line string) bool { return strings.HasPrefix(line, beginning) })
	})
}
