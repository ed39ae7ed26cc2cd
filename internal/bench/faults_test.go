package bench

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// allFaults are what can happen to a server; the black hole comes last, since it
// upsets some programs for good.
var allFaults = []Fault{Refused, Silent, BlackHole}

// An outage is some servers that have a fault: from ≤ i < to.
type outage struct {
	fault    Fault
	from, to int
	title    string // what the report calls it
}

// outages are n servers for each of the faults, the last ones that below leaves.
func (s *session) outages(below, n int, faults ...Fault) (all []outage) {
	part := "1"
	if n > 1 {
		part = fmt.Sprintf("%d %%", n*100/s.work.n)
	}
	for _, fault := range faults {
		title := fmt.Sprintf("%s, %s of %d %s", s.work.kind, part, s.work.n, fault)
		all = append(all, outage{fault, below - n, below, title})
		below -= n
	}
	return all
}

// faults has one, 1 % and half of the servers fail in every way. With Perl
// ldirectord it is one in one way, once: the rest would take hours.
func (s *session) faults() {
	n := s.work.n
	if s.peer.slow {
		s.fail(s.outages(n, 1, Refused))
		return
	}
	runs := windows
	if n < most && s.peer.name == "keepalived" {
		runs = 1 // there is not the time for more
	}
	for range runs {
		some := s.outages(n, 1, allFaults...)
		if n >= 200 {
			some = append(some, s.outages(some[len(some)-1].from, n/100, allFaults...)...)
		}
		s.fail(some)
		for _, fault := range allFaults {
			s.fail(s.outages(n, n/2, fault))
		}
	}
}

// fail has servers fail and measures how soon it is noticed, whether the others
// are checked on time if those are many, and how soon the end is noticed. What a
// program did not notice once is not waited for again.
func (s *session) fail(outages []outage) {
	if s.given[outages[0].title] {
		return
	}
	s.table.fetch()
	s.forget()
	began, gaps := monotonic(), s.gaps.Load()
	for _, o := range outages {
		s.inflict(o)
	}
	noticed := s.await(began, outages, false)
	for i, o := range outages {
		if s.gaps.Load() > gaps {
			break // a change missing in the log may have been made
		}
		s.add(sectionDetect, o.title, inTime(o.fault), noticed[i]...)
	}
	if o := outages[0]; o.to-o.from == s.work.n/2 {
		pause(3*time.Second - time.Duration(monotonic()-began))
		s.punctual(o.title, o.from)
	}
	s.recover(outages, noticed)
}

// recover ends the faults. Where not all were noticed, who is back says nothing.
func (s *session) recover(outages []outage, noticed []sample) {
	began, gaps := monotonic(), s.gaps.Load()
	for _, o := range outages {
		s.heal(o)
	}
	if slices.ContainsFunc(noticed, func(n sample) bool { return math.IsInf(n[2], 0) }) {
		s.given[outages[0].title] = true
	} else {
		for i, back := range s.await(began, outages, true) {
			if s.gaps.Load() > gaps {
				break
			}
			s.add(sectionRecover, outages[i].title, atMost(1.1), back...)
		}
	}
	for end := time.Now().Add(patience); s.table.size() < s.work.n && time.Now().Before(end); pause(50 * time.Millisecond) {
		s.table.fetch()
	}
	if s.gaps.Load() > 0 {
		s.table.assume(s.reals())
	}
}

// await waits until the servers of the outages are up, or down, and returns of
// each outage when: the first, the median and the last.
func (s *session) await(began int64, outages []outage, up bool) (all []sample) {
	waiting := map[string]int{} // to the outage
	seen := make([][]float64, len(outages))
	for i, o := range outages {
		for j := o.from; j < o.to; j++ {
			waiting[fmt.Sprintf("%s:%d", Addr(j), s.work.port)] = i
		}
	}
	for end := time.Now().Add(patience); len(waiting) > 0 && time.Now().Before(end); pause(5 * time.Millisecond) {
		for _, c := range s.table.fetch() {
			if i, ok := waiting[c.real]; ok && c.up == up {
				delete(waiting, c.real)
				seen[i] = append(seen[i], float64(c.at-began)/1e9)
			}
		}
	}
	for i, o := range outages {
		n := o.to - o.from
		for len(seen[i]) < n {
			seen[i] = append(seen[i], math.Inf(1))
		}
		all = append(all, sample{seen[i][0], seen[i][n/2], seen[i][n-1]})
	}
	return all
}

// inflict gives servers a fault. A black hole is one to whom nothing comes
// through, not even the end of a connection.
func (s *session) inflict(o outage) {
	if o.fault != BlackHole {
		s.order(s, string(o.fault), o.from, o.to)
		return
	}
	s.filter(fmt.Sprintf(`table ip bench_%d {
	chain input {
		type filter hook input priority 0
		ip daddr >= %s ip daddr <= %s tcp dport %d drop
	}
}
`, o.from, Addr(o.from), Addr(o.to-1), s.work.port))
}

// heal ends the fault.
func (s *session) heal(o outage) {
	if o.fault == BlackHole {
		s.filter(fmt.Sprintf("delete table ip bench_%d\n", o.from))
		return
	}
	s.order(s, string(None), o.from, o.to)
}

// filter has nft do what rules say.
func (s *session) filter(rules string) {
	s.Helper()
	if err := feed(rules, "nft", "-f", "-"); err != nil {
		s.Fatal(err)
	}
}

func TestOutages(t *testing.T) {
	s := &session{work: work{kind: "http", n: 1000}}
	got := s.outages(1000, 1, Refused, BlackHole)
	got = append(got, s.outages(998, 10, Silent)...)
	want := []outage{
		{Refused, 999, 1000, "http, 1 of 1000 refused"},
		{BlackHole, 998, 999, "http, 1 of 1000 blackhole"},
		{Silent, 988, 998, "http, 1 % of 1000 silent"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("outages %+v, want %+v", got, want)
	}
}
