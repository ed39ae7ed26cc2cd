package bench

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"ldirectord/internal/lab"
)

// The parts of the comparison and how long they take.
var (
	sizes = []int{1000, 10_000}
	kinds = []string{"connect", "http"}
)

const (
	windows   = 3 // measurements of one program at work
	window    = 3 * time.Second
	startUp   = 2 * time.Minute // more than any program needs
	settling  = 3 * time.Second // after the start
	patience  = 12 * time.Second
	floorName = "C floor"
)

// BenchmarkPrograms compares the whole program with Debian's keepalived and Perl
// ldirectord and writes what came out to the file of -report. All of them run in
// a network of their own, one after the other, with the same servers.
func BenchmarkPrograms(b *testing.B) {
	if *reportFile == "" {
		b.Skip("no -report")
	}
	dir, inside := apart(b)
	if !inside {
		return
	}
	if err := furnish(dir); err != nil {
		b.Fatal(err)
	}
	c := &comparison{
		B: b, floor: buildFloor(b),
		peers: stands{lab.Program(b, "ldirectord/cmd/ldirectord"), dir + "/ipvs.so"}.peers(),
	}
	if n, err := strconv.Atoi(os.Getenv("LDIRECTORD_BENCH_SIZE")); err == nil {
		sizes = []int{n} // to try it out
	}
	for _, p := range c.peers {
		c.columns = append(c.columns, p.name)
	}
	c.columns = append(c.columns, floorName)
	for _, n := range sizes {
		for _, kind := range kinds {
			c.compare(kind, n)
		}
	}
	c.hanging(sizes[len(sizes)-1])
	c.within()
	c.write()
	fmt.Println(c.String())
}

// A comparison is one in progress.
type comparison struct {
	*testing.B
	report
	floor floor
	peers []peer
}

// write writes what there is so far.
func (c *comparison) write() {
	c.Helper()
	if err := writeReport(*reportFile, &c.report); err != nil {
		c.Fatal(err)
	}
}

// compare measures all programs with n servers.
func (c *comparison) compare(kind string, n int) {
	for _, p := range c.peers {
		if n > p.most {
			continue
		}
		s := c.start(p, work{kind: kind, n: n})
		if s == nil {
			continue
		}
		name := fmt.Sprintf("%s, %d", kind, n)
		s.steady(name)
		if kind == "http" {
			s.faults()
		} else if n == sizes[len(sizes)-1] {
			s.fail(n/2, BlackHole)
		}
		s.stop()
		c.write()
	}
	if c.floor != "" {
		l := startLoad(c, n, None)
		for range windows {
			c.add(sectionCPU, fmt.Sprintf("%s, %d", kind, n), floorName, nil, c.floor.run(c.B, kind, n, l.port))
		}
		l.stop()
	}
}

// The sections of the report.
const (
	sectionCPU     = "CPU of a check (µs)"
	sectionMemory  = "Memory (PSS, MB)"
	sectionStart   = "Start (s)"
	sectionTime    = "On time: between two checks of a healthy server, mean / worst (s)"
	sectionDetect  = "From the fault to the change of the table, first / median / last (s)"
	sectionRecover = "From the end of the fault to the change of the table, first / median / last (s)"
	sectionOthers  = "Reloads and the kernel"
)

// cheap is the goal of a check's CPU.
func cheap(kind string) func(map[string]float64) float64 {
	ofPeer, ofFloor := 0.6, 1.3
	if kind == "http" {
		ofPeer, ofFloor = 0.8, 1.4
	}
	return func(m map[string]float64) float64 {
		limit := math.Inf(1)
		if peer := m["keepalived"]; peer > 0 {
			limit = ofPeer * peer
		}
		if floor := m[floorName]; floor > 0 {
			limit = min(limit, ofFloor*floor)
		}
		return limit
	}
}

// A session is one program with its servers.
type session struct {
	*comparison
	*load
	*process
	peer peer
	work work
}

func (s *session) stop() {
	s.process.stop()
	s.load.stop()
}

// start starts a program and waits until all servers are in the table and have
// been asked. It returns nil, with a line, if that is not to be had.
func (c *comparison) start(p peer, w work) *session {
	fmt.Printf("%s %s: %s, %d servers\n", time.Now().Format(time.TimeOnly), p.name, w.kind, w.n)
	l := startLoad(c, w.n+w.hanging, None)
	w.port = l.port
	s := &session{c, l, startProcess(c, p, w), p, w}
	var full, asked float64
	for end := time.Now().Add(startUp); full == 0 || asked == 0; pause(20 * time.Millisecond) {
		since := float64(monotonic()-s.started) / 1e9
		s.table.fetch()
		if full == 0 && s.table.size() >= w.n {
			full = since
		}
		if asked == 0 && s.visits(c, 0, w.n).Fewest > 0 {
			asked = since
		}
		if asked > 0 && since > asked+3 && s.gaps.Load() > 0 {
			break // what was done is not to be seen
		}
		if time.Now().After(end) {
			fmt.Printf("%s: only %d up after %s; it said:\n%s\n", p.name, s.table.size(), startUp, &s.last)
			s.stop()
			return nil
		}
	}
	s.table.assume(s.reals())
	if w.hanging == 0 && full > 0 {
		name := fmt.Sprintf("%s, %d: all in the table / all asked", w.kind, w.n)
		c.add(sectionStart, name, p.name, nil, full, asked)
	}
	pause(settling)
	return s
}

// steady measures a program that has nothing but checks to do.
func (s *session) steady(name string) {
	for range windows {
		s.order(s, "forget", 0, s.work.n)
		used, began := s.cpu(), time.Now()
		pause(window)
		for s.visits(s, 0, s.work.n).Fewest < 2 && time.Since(began) < patience {
			pause(window / 8)
		}
		v := s.visits(s, 0, s.work.n)
		s.add(sectionCPU, name, s.peer.name, cheap(s.work.kind), float64((s.cpu()-used).Nanoseconds())/1e3/float64(v.Total))
		s.punctual(name, s.work.n)
		s.add(sectionMemory, name, s.peer.name, atMost(30), s.pss())
	}
}

// reals are the servers, as they stand in the table.
func (s *session) reals() (names []string) {
	for i := range s.work.n {
		names = append(names, fmt.Sprintf("%s:%d", Addr(i), s.work.port))
	}
	return names
}

// punctual notes how far apart the checks of the first n servers were. It takes
// two to tell.
func (s *session) punctual(name string, n int) {
	v := s.visits(s, 0, n)
	mean, worst := v.Mean.Seconds(), v.Worst.Seconds()
	if v.Fewest < 2 {
		mean, worst = math.Inf(1), math.Inf(1)
	}
	s.add(sectionTime, name, s.peer.name, atMost(1.05), mean, worst)
}

// faults has one, 1 % and half of the servers fail in every way.
func (s *session) faults() {
	runs := 1
	if s.work.n == sizes[len(sizes)-1] {
		runs = windows
	}
	for range runs {
		s.fail(1, Refused, BlackHole, Silent)
		s.fail(s.work.n/100, Refused, BlackHole, Silent)
	}
	for _, fault := range []Fault{Refused, BlackHole, Silent} {
		s.fail(s.work.n/2, fault)
	}
}

// An outage is some servers that have a fault: from ≤ i < to.
type outage struct {
	fault    Fault
	from, to int
}

// title is what the report calls it.
func (s *session) title(o outage) string {
	return fmt.Sprintf("%s, %s of %d %s", s.work.kind, share(o.to-o.from, s.work.n), s.work.n, o.fault)
}

// inTime is the goal for the last one: an interval, the time-out where there is
// something to wait for, and a tenth.
func (o outage) inTime() float64 {
	if o.fault == Refused {
		return 1.1
	}
	return 3.1
}

// fail has n servers fail in each of the ways at once and measures how soon it
// is noticed, whether the others are asked on time, and how soon the end is
// noticed.
func (s *session) fail(n int, faults ...Fault) {
	var outages []outage
	healthy := s.work.n
	for _, fault := range faults {
		outages = append(outages, outage{fault, healthy - n, healthy})
		healthy -= n
	}
	s.table.fetch()
	s.order(s, "forget", 0, s.work.n)
	began, gaps := monotonic(), s.gaps.Load()
	for _, o := range outages {
		s.inflict(o)
	}
	noticed := s.await(began, outages, false)
	for i, o := range outages {
		if s.gaps.Load() > gaps {
			break // what is not in the log may have been done
		}
		s.add(sectionDetect, s.title(o), s.peer.name, atMost(o.inTime()), noticed[i]...)
		fmt.Printf("    %s: %.2f\n", s.title(o), noticed[i])
	}
	if n == s.work.n/2 {
		pause(window / 2)
		s.punctual(s.title(outages[0]), healthy)
	}
	s.recover(outages, noticed)
}

// recover ends the faults. Where not all were noticed, who is back says nothing.
func (s *session) recover(outages []outage, noticed []sample) {
	began, gaps := monotonic(), s.gaps.Load()
	for _, o := range outages {
		s.heal(o)
	}
	if !slices.ContainsFunc(noticed, func(n sample) bool { return math.IsInf(n[2], 0) }) {
		for i, back := range s.await(began, outages, true) {
			if s.gaps.Load() > gaps {
				break
			}
			s.add(sectionRecover, s.title(outages[i]), s.peer.name, atMost(1.1), back...)
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
	times := make([][]float64, len(outages))
	for i, o := range outages {
		for j := o.from; j < o.to; j++ {
			waiting[fmt.Sprintf("%s:%d", Addr(j), s.work.port)] = i
		}
	}
	for end := time.Now().Add(patience); len(waiting) > 0 && time.Now().Before(end); pause(5 * time.Millisecond) {
		for _, c := range s.table.fetch() {
			if i, ok := waiting[c.real]; ok && c.up == up {
				delete(waiting, c.real)
				times[i] = append(times[i], float64(c.at-began)/1e9)
			}
		}
	}
	for i, o := range outages {
		n := o.to - o.from
		for len(times[i]) < n {
			times[i] = append(times[i], math.Inf(1))
		}
		all = append(all, sample{times[i][0], times[i][n/2], times[i][n-1]})
	}
	return all
}

// share says how many of all.
func share(n, all int) string {
	if n == 1 {
		return "1"
	}
	return fmt.Sprintf("%d %%", n*100/all)
}

// inflict gives servers a fault. A black hole is one to whom nothing comes
// through, not even the end of a connection.
func (s *session) inflict(o outage) {
	if o.fault != BlackHole {
		s.order(s, string(o.fault), o.from, o.to)
		return
	}
	s.filter(fmt.Sprintf(`table ip bench {
	chain input {
		type filter hook input priority 0
		ip daddr >= %s ip daddr <= %s tcp dport %d drop
	}
}
`, Addr(o.from), Addr(o.to-1), s.work.port))
}

// heal ends the fault.
func (s *session) heal(o outage) {
	if o.fault == BlackHole {
		s.filter("delete table ip bench\n")
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

// hanging measures who is asked on time beside 100 commands that never end.
func (c *comparison) hanging(n int) {
	for _, p := range c.peers {
		if n > p.most {
			continue
		}
		s := c.start(p, work{kind: "http", n: n, hanging: 100})
		if s == nil {
			continue
		}
		for range windows {
			s.order(s, "forget", 0, n)
			pause(window)
			s.punctual(fmt.Sprintf("http, %d beside 100 commands that hang", n), n)
		}
		s.stop()
	}
}

// pause lets time go by: what is measured are other processes.
func pause(d time.Duration) { <-time.After(d) }
