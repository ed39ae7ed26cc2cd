package acceptance

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestDrift changes the table beside the daemon: what is needed comes back,
// what an operator may want stays.
func TestDrift(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	t.Run("removed", func(t *testing.T) { testRemovedByHand(s.in(t)) })
	t.Run("drained", func(t *testing.T) { testDrained(s.in(t)) })
	t.Run("dead and deleted", func(t *testing.T) { testDeadAndDeleted(s.in(t)) })
	t.Run("foreign", func(t *testing.T) { testForeign(s.in(t)) })
	t.Run("readdquiescent=no", func(t *testing.T) { testReadd(s.in(t), "no") })
	t.Run("readdquiescent=yes", func(t *testing.T) { testReadd(s.in(t), "yes") })
}

const removedByOther = " was removed by somebody else, it is put back"

func testRemovedByHand(s *site) {
	v := gate
	d := s.startUp(v, "driftcheck = 2")
	defer d.stop()
	visits, stop := s.visit(s.visitHowto)
	defer stop()
	visits.servedBy("rs1", "rs2")

	cleared := time.Now()
	s.Output("director", "ipvsadm", "-C")
	d.log.await("Repaired: virtual service "+v.v+removedByOther, "Added virtual server: "+v.v, v.in(v.r1, "2"), v.in(v.r2, "1"))
	s.t.Logf("repaired after %v", time.Since(cleared).Round(time.Millisecond))
	s.holds(v.holding("rs1", "rs2"))
	visits.servedBy("rs1", "rs2")

	s.Ipvsadm("-d -t 192.168.1.99:80 -r 192.168.1.13:80")
	d.log.await("Repaired: real server "+v.r1+" ("+v.v+")"+removedByOther, v.in(v.r1, "2"))
	s.holds(v.holding("rs1", "rs2"))
	visits.servedBy("rs1", "rs2")
}

// testDrained sets a weight by hand. It stays until the real server dies.
func testDrained(s *site) {
	v := gate
	d := s.startUp(v, "driftcheck = 1")
	defer d.stop()
	visits, stop := s.visit(s.visitHowto)
	defer stop()
	s.Ipvsadm("-e -t 192.168.1.99:80 -r 192.168.1.13:80 -g -w 0")
	visits.servedBy("rs2")
	d.log.await("Left as it is: real server " + v.r1 + " (" + v.v + ") has weight 0 in the kernel, set by somebody else, instead of 2")
	s.checkedAgain("rs1", 3)
	visits.servedBy("rs2")
	s.holds(v.holding("rs2") + "\n-a -t 192.168.1.99:80 -r 192.168.1.13:80 -g -w 0")
	d.log.ends()

	s.Web("rs1").Stop()
	d.log.await(v.out(v.r1))
	revive(s, "rs1")
	d.log.await(v.in(v.r1, "2"))
	s.holds(v.holding("rs1", "rs2"))
	visits.servedBy("rs1", "rs2")
}

// testDeadAndDeleted deletes the entry of a real server that is dead.
func testDeadAndDeleted(s *site) {
	v := quiescent
	d := s.startUp(v, "driftcheck = 1")
	defer d.stop()
	s.Web("rs1").Stop()
	d.log.await(v.out(v.r1))
	s.Ipvsadm("-d -t 192.168.1.99:80 -r 192.168.1.13:80")
	d.log.await("Left as it is: real server " + v.r1 + " (" + v.v + ") was deleted by somebody else")
	s.checkedAgain("rs2", 3)
	s.holds(v.table[0] + "\n" + v.table[2])
	d.log.ends()

	revive(s, "rs1")
	d.log.await("Added real server: " + v.r1 + " (" + v.v + ") (Weight set to 2)")
	s.holds(v.holding("rs1", "rs2"))
}

// testForeign has a service in the table that is in no file.
func testForeign(s *site) {
	const foreign = "-A -t 192.168.1.99:443 -s rr\n-a -t 192.168.1.99:443 -r 192.168.1.13:443 -g -w 1\n"
	s.Ipvsadm(foreign)
	v := gate
	d := s.start("driftcheck = 1\n" + v.config(s.t))
	s.comesToHold(foreign + v.holding("rs1", "rs2"))
	s.checkedAgain("rs1", 3)
	s.holds(foreign + v.holding("rs1", "rs2"))
	d.stop()
	s.holds(foreign)
	s.Output("director", "ipvsadm", "-C")
}

// testReadd has a real server die whose entry somebody has deleted and nobody
// has put back.
func testReadd(s *site, readd string) {
	v := quiescent
	d := s.startUp(v, "driftcheck = 0\nreaddquiescent = "+readd)
	defer d.stop()
	s.Ipvsadm("-d -t 192.168.1.99:80 -r 192.168.1.13:80")
	s.Web("rs1").Stop()
	d.monitor.await(v.isGone(v.r1, "connection refused"))
	if readd == "yes" {
		d.log.await("Readd " + v.out(v.r1))
		s.holds(v.holding("rs2"))
	} else {
		s.holds(v.table[0] + "\n" + v.table[2])
	}
	revive(s, "rs1")
	d.monitor.await(v.isBack(v.r1, "down DOWN"))
	s.holds(v.holding("rs1", "rs2"))
}

// checkedAgain waits until a real server was asked so many times more by the
// director.
func (s *site) checkedAgain(rs string, times int) {
	s.t.Helper()
	before := s.checks(rs)
	await(s.t, "more checks of "+rs, func() bool { return s.checks(rs) >= before+times })
}

// checks counts how often a real server was asked by the director.
func (s *site) checks(rs string) int {
	n := 0
	for _, from := range s.Web(rs).Clients() {
		if from.String() == directorAddr {
			n++
		}
	}
	return n
}
