package acceptance

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestHowTo runs the how-to's file as it is: with the how-to's intervals,
// quiescent, and changed under the daemon.
func TestHowTo(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	// The page is asked for by its name.
	s.Web("rs1").Stop()
	stop := s.servePage("rs1")
	v := quiescent
	d := s.start(howto(t))
	d.comesUp(v)
	d.runsInBackground()
	visits, stopVisits := s.visit(s.visitHowto)
	visits.servedBy("rs1", "rs2")
	t.Run("persistence", func(t *testing.T) { testPersistence(s.in(t)) })

	died := time.Now()
	stop()
	d.log.await(v.out(v.r1))
	t.Logf("weight 0 after %v", time.Since(died).Round(time.Millisecond))
	s.holds(v.holding("rs2"))
	visits.servedBy("rs2")
	d.monitor.next(v.isGone(v.r1, "connection refused"))
	s.servePage("rs1")
	d.log.await(v.in(v.r1, "2"))
	visits.servedBy("rs1", "rs2")
	d.monitor.next(v.isBack(v.r1, "down DOWN"))

	d.configure(howto(t, "gate 2", "gate 3"))
	d.log.await(
		"Configuration file '/etc/ha.d/ldirectord.cf' has changed on disk",
		" - reread new configuration",
		v.in(v.r1, "3"),
	)
	s.holds(strings.Replace(v.holding("rs1", "rs2"), "-w 2", "-w 3", 1))
	visits.servedBy("rs1", "rs2")
	stopVisits()
	d.stop()
	d.log.awaitAll("Purged virtual server (stop): "+v.v, "Linux Director Daemon terminated on signal: TERM")
	d.monitor.ends()
	s.holds("")
	d.isStopped()
}

// testPersistence sees that one visitor gets all pages from one server.
func testPersistence(s *site) {
	from := s.visitor(false)
	first := ""
	for range 5 {
		text, err := s.get(from, "http://"+vip+"/lvs.html")
		if err != nil {
			s.t.Fatal(err)
		}
		if first == "" {
			first = text
		}
		if text != first {
			s.t.Errorf("the same visitor got the pages %q and %q", first, text)
		}
	}
}

// servePage serves the how-to's page and nothing else, until stop.
func (s *site) servePage(rs string) (stop func()) {
	s.t.Helper()
	l, err := s.Listen(rs, "tcp", ":80")
	if err != nil {
		s.t.Fatal(err)
	}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /lvs.html", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, page+rs) })
	server := &http.Server{Handler: pages, ReadHeaderTimeout: time.Minute}
	go server.Serve(l)
	s.t.Cleanup(func() { server.Close() })
	return func() { server.Close() }
}

// runsInBackground sees that the daemon is nobody's child and says that it runs.
func (d *daemon) runsInBackground() {
	d.s.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.pid()))
	if err != nil {
		d.s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after) // state, parent, group, session, terminal, …
	if parent, session, terminal := fields[1], fields[3], fields[4]; parent != "1" || session != fmt.Sprint(d.pid()) || terminal != "0" {
		d.s.t.Errorf("the daemon's parent is %s, its session %s, its terminal %s; want 1, %d, 0", parent, session, terminal, d.pid())
	}
	want := fmt.Sprintf("ldirectord for %s is running with pid: %d\n", configFile, d.pid())
	if got := d.run(0, "status"); got != want {
		d.s.t.Errorf("status says %q, want %q", got, want)
	}
}

// isStopped sees that the daemon says that it does not run.
func (d *daemon) isStopped() {
	d.s.t.Helper()
	if got, want := d.run(3, "status"), "ldirectord is stopped for "+configFile+"\n"; got != want {
		d.s.t.Errorf("status says %q, want %q", got, want)
	}
}
