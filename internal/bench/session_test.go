package bench

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// A session is one program at work, with its servers.
type session struct {
	testing.TB
	*comparison
	*load
	*process
	peer   peer
	work   work
	given  map[string]bool // up, by the first outage's title: not noticed in time
	echoes int             // pings that had come when the servers last forgot
}

// session is a step: p at work, from its start to its end.
func (c *comparison) session(p peer, w work, do func(s *session)) {
	c.step(fmt.Sprintf("%s, %s", w.title(), p.name), func(tb testing.TB) {
		if err := feed("flush ruleset\n", "nft", "-f", "-"); err != nil {
			tb.Fatal(err) // a fault that was left behind
		}
		l := startLoad(tb, w.n+w.hanging, None, questions[w.kind].service)
		w.port = l.port
		s := &session{TB: tb, comparison: c, load: l, peer: p, work: w, given: map[string]bool{}}
		s.forget()
		s.process = startProcess(tb, p, w)
		s.start()
		do(s)
	})
}

// add notes a sample of the session's program.
func (s *session) add(section, name string, limit goal, numbers ...float64) {
	s.report.add(section, name, s.peer.name, limit, numbers...)
}

// start waits until all servers are in the table and have been checked.
func (s *session) start() {
	var full, asked float64
	for end := time.Now().Add(startUp); full == 0 || asked == 0; pause(20 * time.Millisecond) {
		since := float64(monotonic()-s.process.started) / 1e9
		s.table.fetch()
		if full == 0 && s.table.size() >= s.work.n {
			full = since
		}
		if asked == 0 && s.asked(s.work.n).Fewest > 0 {
			asked = since
		}
		if asked > 0 && since > asked+3 && s.gaps.Load() > 0 {
			break // the changes are not visible
		}
		if time.Now().After(end) || s.ended.Load() {
			s.Fatalf("%d of %d in the table after %.0f s; it said %q", s.table.size(), s.work.n, since, s.last.String())
		}
	}
	s.table.assume(s.reals())
	if s.work.interval == 0 && s.work.hanging == 0 {
		s.add(sectionStart, s.work.title()+": all asked", atMost(1.1), asked)
		if full > 0 {
			// A second after the last answer of the first round.
			s.add(sectionStart, s.work.title()+": all in the table", atMost(2.1), full)
		}
	}
	pause(settling)
}

// steady measures a program that has nothing but checks to do.
func (s *session) steady() {
	limit := cheap[s.work.kind]
	if s.work.n <= little {
		limit = nil // the goals are for more
	}
	for range windows {
		s.forget()
		used := s.cpu()
		s.watch()
		v := s.asked(s.work.n)
		if v.Total == 0 || s.ended.Load() {
			s.Fatalf("nobody was asked; it said %q", s.last.String())
		}
		s.add(sectionCPU, s.work.title(), limit, float64((s.cpu()-used).Nanoseconds())/1e3/float64(v.Total))
		s.punctual(s.work.title(), s.work.n)
		s.add(sectionMemory, s.work.title(), atMost(30), s.pss())
	}
}

// watch lets a window go by, and more until all servers were checked twice.
func (s *session) watch() {
	began := time.Now()
	for pause(window); s.asked(s.work.n).Fewest < 2 && time.Since(began) < patience; {
		pause(window / 8)
	}
}

// punctual records the times between the checks of the first n servers. It needs
// two checks.
func (s *session) punctual(name string, n int) {
	v := s.asked(n)
	mean, worst := v.Mean.Seconds(), v.Worst.Seconds()
	switch {
	case s.work.kind == "ping":
		return // the kernel answers, and only counts
	case v.Fewest < 2:
		mean, worst = math.Inf(1), math.Inf(1)
	}
	s.add(sectionTime, name, atMost(1.05), mean, worst)
}

// hanging measures which servers are checked on time beside 100 commands that never end.
// Perl ldirectord is left out: it checks one server after the other and would need
// minutes for each round.
func (c *comparison) hanging() {
	for _, p := range c.peers {
		if p.slow {
			continue
		}
		c.session(p, work{kind: "http", n: most, hanging: 100, command: c.hang}, func(s *session) {
			for range windows {
				s.forget()
				s.watch()
				s.punctual(s.work.title(), most)
			}
		})
	}
}

// reload measures whether checks are late while the file is read anew.
func (s *session) reload() {
	for range windows {
		s.forget()
		pause(window / 2)
		if err := s.touch(); err != nil {
			s.Fatal(err)
		}
		s.watch()
		s.punctual(s.work.title()+", with a reload", s.work.n)
	}
}

// reals are the servers, as they stand in the table.
func (s *session) reals() (names []string) {
	for i := range s.work.n {
		names = append(names, fmt.Sprintf("%s:%d", Addr(i), s.work.port))
	}
	return names
}

// forget resets the counts of checks.
func (s *session) forget() {
	s.order(s, "forget", 0, s.work.n)
	s.echoes = echoes()
}

// asked is the number of checks of the first n servers since forget. The kernel
// answers pings, and counts them all together.
func (s *session) asked(n int) Visits {
	if s.work.kind == "ping" {
		total := echoes() - s.echoes
		return Visits{Fewest: total / s.work.n, Total: total}
	}
	return s.visits(s, 0, n)
}

// echoes is how many pings have come, of those who see this network.
func echoes() (n int) {
	text, _ := os.ReadFile("/proc/net/snmp")
	var names, values []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == "Icmp:" {
			names, values = values, fields
		}
	}
	for i, name := range names {
		if name == "InEchos" && i < len(values) {
			_, _ = fmt.Sscan(values[i], &n)
		}
	}
	return n
}
