package acceptance

import (
	"strings"
	"testing"
	"time"

	"ldirectord/internal/lab"
)

// TestVariants lives through the deaths of real servers with each variant.
func TestVariants(t *testing.T) {
	lab.Program(t, program)
	for mode, list := range variants {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			if !lab.Inside(t) {
				return
			}
			s := newSite(t, mode)
			for _, v := range list {
				t.Run(v.name, func(t *testing.T) { v.run(s.in(t)) })
			}
		})
	}
}

// run is a life of the daemon with the variant's file.
func (v variant) run(s *site) {
	if v.prepare != nil {
		v.prepare(s)
	}
	d := s.start(v.config(s.t))
	d.monitor.next(v.fallbackTakesOver(), v.isBack(v.r1, "first good check"), v.isBack(v.r2, "first good check"), v.areBack())
	s.holds(v.holding("rs1", "rs2"))
	visits, stop := s.visit(v.visitor(s))
	visits.servedBy("rs1", "rs2")
	for _, how := range v.deaths {
		s.t.Run(how.name, func(t *testing.T) { v.loseOne(s.in(t), d.in(t), visits.in(t), how) })
	}
	s.t.Run("all", func(t *testing.T) { v.loseAll(s.in(t), d.in(t), visits.in(t)) })
	stop()
	d.stop()
	d.log.awaitAll("Purged real server (stop): "+v.r1+" ("+v.v+")", "Purged real server (stop): "+v.r2+" ("+v.v+")")
	d.log.await("Purged virtual server (stop): "+v.v, "Linux Director Daemon terminated on signal: TERM")
	d.monitor.ends()
	s.holds("")
}

// loseOne has rs1 fail and come back, with visitors all the time.
func (v variant) loseOne(s *site, d *daemon, visits *visits, how death) {
	d.log.rest()
	died := time.Now()
	how.on(s, "rs1")
	d.log.await(v.out(v.r1))
	failed, all := visits.failed(died)
	s.t.Logf("removed after %v; %d of %d visits failed meanwhile", time.Since(died).Round(time.Millisecond), failed, all)
	visits.servedBy("rs2")
	s.holds(v.holding("rs2"))
	d.monitor.next(v.isGone(v.r1, how.cause))

	how.off(s, "rs1")
	d.log.await("Resetting soft failure count: "+v.r1+" ("+strings.Replace(v.id, " ", ":", 1)+")", v.in(v.r1, "2"))
	visits.servedBy("rs1", "rs2")
	s.holds(v.holding("rs1", "rs2"))
	d.monitor.next(v.isBack(v.r1, "down DOWN"))
}

// loseAll has both real servers fail and come back, in the way that is tried
// first of one.
func (v variant) loseAll(s *site, d *daemon, visits *visits) {
	how := v.deaths[0]
	d.log.rest()
	how.on(s, "rs1")
	how.on(s, "rs2")
	d.log.await("Added fallback server: " + v.fallback + " (" + v.v + ") (Weight set to 1)")
	d.monitor.next(v.isGone(v.r1, how.cause), v.isGone(v.r2, how.cause), v.fallbackTakesOver())
	visits.servedBy("director")
	s.holds(v.holding("director"))

	how.off(s, "rs1")
	how.off(s, "rs2")
	d.log.await("Deleted fallback server: " + v.fallbackInKernel() + " (" + v.v + ")")
	d.monitor.next(v.isBack(v.r1, "down DOWN"), v.isBack(v.r2, "down DOWN"), v.areBack())
	visits.servedBy("rs1", "rs2")
	s.holds(v.holding("rs1", "rs2"))
}
