package acceptance

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestReload changes the file under a daemon that serves visitors all the
// time.
func TestReload(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	t.Run("changes", func(t *testing.T) { testReloadChanges(s.in(t)) })
	t.Run("mistakes", func(t *testing.T) { testReloadMistakes(s.in(t)) })
}

const reloading = "Reloading Linux Director Daemon config on signal"

// testReloadChanges: each change is made, and nobody notices.
func testReloadChanges(s *site) {
	v := gate
	d := s.startUp(v, "")
	visits, stop := s.visit(s.visitPatiently)
	visits.servedBy("rs1", "rs2")
	began := time.Now()
	base := v.config(s.t)
	changes := []struct {
		name     string
		old, new string
		table    string
	}{
		{"nothing", "", "", v.holding("rs1", "rs2")},
		{"weight", "gate 2", "gate 5", strings.Replace(v.holding("rs1", "rs2"), "-w 2", "-w 5", 1)},
		{"scheduler and persistence", "scheduler = wrr\n    persistent = 300", "scheduler = rr", strings.Replace(v.holding("rs1", "rs2"), "wrr -p 300", "rr", 1)},
		{"check", `request = "lvs.html"`, `request = "other.html"`, v.holding("rs1", "rs2")},
		{"quiescent", "quiescent=no", "quiescent=yes", v.holding("rs1", "rs2")},
		{
			"a real server more", "    checktype = negotiate", "    real = 192.168.1.12:80 gate 7\n    checktype = negotiate",
			v.holding("rs1", "rs2"), // the director's page is another
		},
		{
			"a virtual service more", "virtual = 192", "virtual = 9\n    real = 192.168.1.13 gate\n    checktype = on\nvirtual = 192",
			v.holding("rs1", "rs2") + "\n-A -f 9 -s wrr\n-a -f 9 -r 192.168.1.13:0 -g -w 1",
		},
		{"everything back", "", "", v.holding("rs1", "rs2")},
	}
	for _, c := range changes {
		d.configure(strings.Replace(base, c.old, c.new, 1))
		d.signal(syscall.SIGHUP)
		d.log.await(reloading, "Changed virtual server: "+v.v)
		s.comesToHold(c.table)
		s.checkedAgain("rs1", 2)
		s.holds(c.table)
		visits.servedBy("rs1", "rs2")
	}
	stop()
	failed, all := visits.failed(began)
	if failed > 0 {
		s.t.Errorf("%d of %d visits failed", failed, all)
	}
	d.stop()
	s.holds("")
}

// testReloadMistakes: a file that cannot be used changes nothing, and what was
// in force goes on working.
func testReloadMistakes(s *site) {
	v := gate
	good := v.config(s.t)
	d := s.startUp(v, "")
	pid := d.pid()
	broken := strings.Replace(good, "quiescent=no", "quiescent=yes", 1)
	broken = strings.Replace(broken, "    protocol = tcp", "    protocol = ip", 1)
	at := fmt.Sprintf("Error [%d] reading file %s at line 8: protocol must be tcp or udp if the virtual service is an address and port", pid, configFile)
	d.configure(broken)
	d.signal(syscall.SIGHUP)
	d.log.await(reloading, at)
	s.holds(v.holding("rs1", "rs2"))
	v.dieAndReturn(s, d)

	if err := os.Remove(configFile); err != nil {
		s.t.Fatal(err)
	}
	d.signal(syscall.SIGHUP)
	d.log.await(reloading, fmt.Sprintf("Error [%d]: can not open file %s", pid, configFile))
	v.dieAndReturn(s, d)

	d.configure(broken)
	mistake := regexp.MustCompile(`^Error \[\d+\] reading file ` + configFile + ` at line 8: protocol must be .*\n$`)
	for _, try := range []struct {
		command string
		status  int
	}{{"reload", 2}, {"restart", 2}, {"status", 0}} {
		said, rest, _ := strings.Cut(d.run(try.status, try.command), "\n")
		if !mistake.MatchString(said + "\n") {
			s.t.Errorf("%s with a broken file says %q", try.command, said+"\n"+rest)
		}
		if d.pid() != pid || gone(pid) {
			s.t.Fatalf("%s with a broken file has ended the daemon", try.command)
		}
	}
	v.dieAndReturn(s, d)
	d.configure(good)
	d.run(0, "reload")
	d.log.await(reloading, "Changed virtual server: "+v.v)
	d.configure(broken)
	if said := d.run(0, "stop"); !mistake.MatchString(said) {
		s.t.Errorf("stop with a broken file says %q", said)
	}
	s.holds("")
}

// dieAndReturn has rs1 fail and come back.
func (v variant) dieAndReturn(s *site, d *daemon) {
	s.t.Helper()
	s.Web("rs1").Stop()
	d.log.await(v.out(v.r1))
	s.holds(v.holding("rs2"))
	revive(s, "rs1")
	d.log.await(v.in(v.r1, "2"))
	s.holds(v.holding("rs1", "rs2"))
}
