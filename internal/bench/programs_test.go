package bench

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// The sizes of the comparison.
const (
	small  = 10
	little = 100 // what Perl ldirectord is measured with
	medium = 1000
)

// most is what the programs are tried with last; LDIRECTORD_BENCH_SIZE is
// another, to try the comparison itself.
var most = 10_000

const (
	windows  = 3 // measurements of one program at work
	window   = 2 * time.Second
	startUp  = 2 * time.Minute         // more than any program needs
	settling = 1500 * time.Millisecond // after the start
	patience = 12 * time.Second
	// enough is after how long no more steps are begun, so that the end is not far.
	enough = 14 * time.Minute
)

// BenchmarkPrograms compares the whole program with Debian's keepalived and Perl
// ldirectord and writes the results to the file of -report. All of them run in
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
	if n, err := strconv.Atoi(os.Getenv("LDIRECTORD_BENCH_SIZE")); err == nil {
		most = n
	}
	c := &comparison{
		B: b, file: *reportFile, began: time.Now(), until: time.Now().Add(enough), floor: buildFloor(b),
		hang:  dir + "/hang",
		peers: stands{lab.Program(b, "github.com/ldirectord/ldirectord/cmd/ldirectord"), dir + "/ipvs.so"}.peers(),
	}
	for _, p := range c.peers {
		c.columns = append(c.columns, p.name)
	}
	c.columns = append(c.columns, floorName)
	c.all()
	fmt.Println(c.String())
}

// A comparison is one in progress.
type comparison struct {
	*testing.B
	report
	file  string // for the report
	began time.Time
	until time.Time // no step is begun later
	floor floor
	hang  string // a command that does
	peers []peer
}

// all is the whole comparison.
func (c *comparison) all() {
	for _, n := range slices.Compact([]int{min(little, most), min(medium, most), most}) {
		for _, kind := range []string{"connect", "http"} {
			c.compare(kind, n)
		}
	}
	c.few()
	for _, kind := range []string{"https", "dns", "smtp", "ping"} {
		c.compare(kind, min(medium, most))
	}
	c.hanging()
	c.within()
	c.growth()
	c.hours()
}

// compare measures all programs with n servers.
func (c *comparison) compare(kind string, n int) {
	for _, p := range c.peers {
		if n > p.most || !p.asks(kind) {
			continue
		}
		c.session(p, work{kind: kind, n: n}, func(s *session) {
			s.steady()
			if kind == "http" && n == most && p.inLog {
				s.reload()
				s.memory(15 * time.Second)
			}
			if kind == "http" && (n > little || p.slow) {
				s.faults()
			}
		})
	}
	if ask, ok := c.floors()[kind]; ok && n > little {
		c.step(fmt.Sprintf("%s, %d, %s", kind, n, floorName), func(tb testing.TB) {
			l := startLoad(tb, n, None, questions[kind].service)
			for range windows {
				c.add(sectionCPU, fmt.Sprintf("%s, %d", kind, n), floorName, cheap[kind], ask(tb, n, l.port))
			}
		})
	}
}

// step does one part of the comparison and writes the results so far. A failure
// ends a part and is noted; it never ends the comparison.
func (c *comparison) step(name string, do func(tb testing.TB)) {
	if time.Now().After(c.until) {
		c.note("%s: left out after %s", name, time.Since(c.began).Round(time.Second))
		return
	}
	fmt.Printf("%s %s\n", time.Now().Format(time.TimeOnly), name)
	c.Run(name, func(b *testing.B) { do(part{b, c, name}) })
	if err := writeReport(c.file, &c.report, time.Since(c.began)); err != nil {
		c.Fatal(err)
	}
}

// note adds a line to the report besides its tables.
func (c *comparison) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Println("   ", text)
	c.notes = append(c.notes, text)
}

// A part is the testing.TB of one step: a fatal error is noted.
type part struct {
	*testing.B
	c    *comparison
	name string
}

// Fatal implements testing.TB.
func (p part) Fatal(args ...any) {
	text, _, _ := strings.Cut(fmt.Sprint(args...), "\n")
	if len(text) > 300 {
		text = text[:300] + " …"
	}
	p.c.note("%s: ended early: %s", p.name, text)
	p.SkipNow()
}

// Fatalf implements testing.TB.
func (p part) Fatalf(format string, args ...any) { p.Fatal(fmt.Sprintf(format, args...)) }

// pause lets time go by: other processes are measured.
func pause(d time.Duration) { <-time.After(d) }
