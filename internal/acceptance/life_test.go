package acceptance

import (
	"slices"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestVariants lives through the deaths of real servers with each variant: through
// all of them where packets go straight, else through the first two of each.
// TestLongVariants lives through all with each.
func TestVariants(t *testing.T) {
	liveThrough(t, func(mode lab.Mode, v variant) []death {
		if mode == lab.DR {
			return v.deaths
		}
		return v.deaths[:min(2, len(v.deaths))]
	})
}

func liveThrough(t *testing.T, deathsOf func(lab.Mode, variant) []death) {
	lab.Program(t, program)
	for mode, list := range variants {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			if !lab.Inside(t) {
				return
			}
			s := newSite(t, mode)
			for _, v := range list {
				v.deaths = deathsOf(mode, v)
				t.Run(v.name, func(t *testing.T) { v.run(t, s.in(t)) })
			}
		})
	}
}

// run is a life of the daemon with the variant's file.
func (v variant) run(t *testing.T, s *site) {
	if v.prepare != nil {
		v.prepare(s)
	}
	d := s.startUp(v, "")
	visits, stop := s.visit(v.visitor(s))
	visits.servedBy("rs1", "rs2")
	for _, how := range v.deaths {
		t.Run(how.name, func(t *testing.T) { v.loseOne(s.in(t), d.in(t), visits.in(t), how) })
	}
	t.Run("all", func(t *testing.T) { v.loseAll(s.in(t), d.in(t), visits.in(t)) })
	stop()
	d.stop()
	d.log.awaitAll("Purged real server (stop): "+v.r1+" ("+v.v+")", "Purged real server (stop): "+v.r2+" ("+v.v+")")
	d.log.await("Purged virtual server (stop): "+v.v, "Linux Director Daemon terminated on signal: TERM")
	d.monitor.ends()
	s.holds("")
}

// startUp starts a daemon with a variant's file, behind other lines, and waits
// until both real servers are in.
func (s *site) startUp(v variant, lines string) *daemon {
	s.t.Helper()
	d := s.start(lines + "\n" + v.config(s.t))
	d.comesUp(v)
	return d
}

// comesUp waits until both real servers are in, by the table and the logs.
func (d *daemon) comesUp(v variant) {
	d.s.t.Helper()
	d.monitor.next(v.started("2 of 2 in service"))
	d.s.holds(v.holding("rs1", "rs2"))
	d.log.until("lines of both real servers", func(news []string) int {
		one, two := v.proven(news, v.r1, "2"), v.proven(news, v.r2, "1")
		if one == 0 || two == 0 {
			return 0
		}
		return max(one, two)
	})
}

// proven is behind the log's lines of a real server that was found to work, 0
// if they are not there. As in the original, the log begins with lines like
// these for what is not proven yet.
func (v variant) proven(lines []string, r, weight string) int {
	reset := slices.Index(lines, v.reset(r))
	in := slices.Index(lines[reset+1:], v.in(r, weight))
	if reset < 0 || in < 0 {
		return 0
	}
	return reset + in + 2
}

// loseOne has rs1 fail and come back, with visitors all the time.
func (v variant) loseOne(s *site, d *daemon, visits *visits, how death) {
	died := time.Now()
	how.on(s, "rs1")
	d.log.await(v.out(v.r1))
	failed, all := visits.failed(died)
	s.t.Logf("removed after %v; %d of %d visits failed meanwhile", time.Since(died).Round(time.Millisecond), failed, all)
	visits.servedBy("rs2")
	s.holds(v.holding("rs2"))
	d.monitor.next(v.isGone(v.r1, how.cause))

	how.off(s, "rs1")
	d.log.await(v.reset(v.r1), v.in(v.r1, "2"))
	visits.servedBy("rs1", "rs2")
	s.holds(v.holding("rs1", "rs2"))
	d.monitor.next(v.isBack(v.r1, "down DOWN"))
}

// loseAll has both real servers fail and come back, in the way that is tried
// first of one.
func (v variant) loseAll(s *site, d *daemon, visits *visits) {
	how := v.deaths[0]
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
