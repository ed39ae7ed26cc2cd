package acceptance

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Where Debian's package has the Perl daemon, and where it is kept while ours
// has its name.
const (
	installedFile = "/usr/sbin/ldirectord"
	originalFile  = "/usr/sbin/ldirectord-perl"
)

// removalLimit is how long the benchmark waits for a dead real server to be
// removed.
const removalLimit = 150 * time.Second

// BenchmarkRemoval measures how long a real server that dies stays in the
// table when 100 of 200 never answer: the packets to them are lost. It dies at
// the worst moment, just after it was found to work. Ours and the original have
// the same file and the same table to begin with, in which the 100 are out.
func BenchmarkRemoval(b *testing.B) {
	lab.Program(b, program)
	lab.Need(b, "ldirectord")
	if !lab.Inside(b) {
		return
	}
	if err := os.Rename(installedFile, originalFile); err != nil {
		b.Fatal(err)
	}
	s := newSite(b, lab.DR)
	s.widen()
	w := s.watch()
	for _, d := range []struct{ name, file string }{{"ldirectord", "ldirectord"}, {"original", originalFile}} {
		b.Run(d.name, func(b *testing.B) { s.in(b).benchmarkRemoval(b, w.in(b), d.file) })
	}
}

// live are how many real servers work besides rs2, silent how many never
// answer. All of them are rs1.
const live, silent = 99, 100

// widen gives rs1 the addresses of all of them.
func (s *site) widen() {
	s.t.Helper()
	s.ip("rs1", "route add local 192.168.2.0/23 dev lo")
	s.ip("director", "route add 192.168.2.0/23 via "+real1)
	s.Output("rs1", "iptables", "-A", "INPUT", "-d", "192.168.3.0/24", "-j", "DROP")
}

// crowd is a configuration file with all of them, rs2 first, and the table in
// which those are that work.
func crowd() (config, table string) {
	var reals []string
	table = "-A -t 192.168.1.99:80 -s wrr\n"
	add := func(addr string, works bool) {
		reals = append(reals, "    real="+addr+":80 gate")
		if works {
			table += "-a -t 192.168.1.99:80 -r " + addr + ":80 -g -w 1\n"
		}
	}
	add(real2, true)
	for i := 1; i <= live; i++ {
		add(fmt.Sprintf("192.168.2.%d", i), true)
	}
	for i := 1; i <= silent; i++ {
		add(fmt.Sprintf("192.168.3.%d", i), false)
	}
	return fmt.Sprintf(`checktimeout=1
negotiatetimeout=1
checkinterval=1
quiescent=no
logfile="%s"
virtual=192.168.1.99:80
%s
    service=http
    request="lvs.html"
    receive="%s"
`, logFile, strings.Join(reals, "\n"), strings.TrimSpace(page)), table
}

// benchmarkRemoval has rs2 die under a daemon, as often as is asked for.
func (s *site) benchmarkRemoval(b *testing.B, w *watch, program string) {
	config, table := crowd()
	var sum time.Duration
	for range b.N {
		s.Output("director", "ipvsadm", "-C")
		s.Ipvsadm(table)
		d := s.prepare(config)
		if out, err := s.Command("director", program, "ldirectord.cf", "start").CombinedOutput(); err != nil {
			b.Fatalf("%s start: %v\n%s", program, err, out)
		}
		asked := s.checks("rs2")
		checked := func() bool {
			w.taken() // of a start there is more than the socket holds
			return s.checks("rs2") > asked
		}
		if !within(removalLimit, checked) {
			b.Fatalf("%s has not asked the first real server within %v", program, removalLimit)
		}
		<-time.After(100 * time.Millisecond) // for the answer
		w.taken()
		died := time.Now()
		s.Web("rs2").Stop()
		if !within(removalLimit, func() bool { return slices.Contains(w.taken(), "DEL_DEST") }) {
			b.Logf("not removed within %v of its death", removalLimit)
		}
		sum += time.Since(died)
		d.kill()
		revive(s, "rs2")
	}
	b.ReportMetric(0, "ns/op") // says nothing
	b.ReportMetric(sum.Seconds()/float64(b.N), "s/removal")
}
