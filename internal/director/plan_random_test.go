package director

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/ipvs"
)

// planLines are lines of a configuration from which TestPlanOfRandomFiles makes files: outside of
// blocks, and in blocks.
var planLines = struct{ outside, block []string }{
	outside: []string{
		"quiescent=yes", "quiescent=no", "quiescenttime=7", "quiescenttime=60", "fallback=127.0.0.1", "fallback=10.1.0.1:80 masq", "fallback6=[::1]", "slowstart=60", "failurecount=2", "risecount=3",
		"minalive=1", "minalive=50%", "quorum=2", "quorum=50%", "hysteresis=1", "quorumrest=keep", "backupbelow=2", "flapdamping=2 in 60s", "return=byhand", "return=byhand", "return=auto",
		"driftcheck=0", "driftcheck=5", "readdquiescent=yes", "maintenancedir=$DIR", "maintenancedir=$DIR", "maintenanceorders=yes", "httpdrain=404", "fallbackcommand=/bin/a", "checkinterval=7",
	},
	block: []string{
		"quiescent=yes", "quiescent=no", "quiescenttime=9", "quiescenttime=none", "slowstart=30", "failurecount=2", "risecount=2", "minalive=2", "minalive=0", "quorum=2", "quorum=0", "quorumrest=keep", "backupbelow=2",
		"flapdamping=no", "flapdamping=2 in 30s", "return=byhand", "return=auto", "scheduler=rr", "scheduler=sh", "scheduler=mh", "scheduler=nosuch", "schedflags=sh-port", "persistent=60", "persistent=600", "netmask=255.255.255.0",
		"service=http", "checktype=connect", "checktype=on", "checktype=off", "checkport=81", "httpdrain=404", "alsocheck=app", "alsocheck=db", "checksneeded=1", "fallback=10.1.0.3:80 masq", "fallback=127.0.0.1 gate", "fallbackcommand=/bin/b", "cleanstop=no",
	},
}

// A planFile is a configuration in the parts that TestPlanOfRandomFiles changes.
type planFile struct {
	outside []string
	blocks  []planBlock
}

type planBlock struct {
	head  string
	reals []string
	lines []string
}

func (f planFile) String() string {
	var b strings.Builder
	b.WriteString("checkinterval=5\ncheck=app\n    checktype=connect\n    checkport=82\ncheck=db\n    service=http\n    checkport=83\n    httpdrain=404\n")
	for _, l := range f.outside {
		b.WriteString(l + "\n")
	}
	for _, v := range f.blocks {
		b.WriteString(v.head + "\n")
		for _, l := range slices.Concat(v.reals, v.lines) {
			b.WriteString("    " + l + "\n")
		}
	}
	return b.String()
}

// A planner makes random configurations.
type planner struct{ *rand.Rand }

func (p planner) one(list []string) string { return list[p.IntN(len(list))] }

func (p planner) some(list []string, most int) (some []string) {
	for range p.IntN(most + 1) {
		some = append(some, p.one(list))
	}
	return some
}

func (p planner) real() string {
	name := p.one([]string{"real", "real", "real", "backup"})
	line := fmt.Sprintf("%s=10.1.0.%d:%s %s", name, 1+p.IntN(3), p.one([]string{"80", "80", "81"}), p.one([]string{"masq", "masq", "gate", "ipip"}))
	if p.IntN(2) == 0 {
		line += p.one([]string{" 0", " 1", " 2", " 3", " 4", " 99999999999"})
		line += p.one([]string{"", "", " u:9", " l:2 u:9", " check=app", " l:5"})
	}
	return line
}

func (p planner) block(head string) planBlock {
	b := planBlock{head: head, lines: p.some(planLines.block, 5)}
	for range p.IntN(5) {
		b.reals = append(b.reals, p.real())
	}
	return b
}

var planHeads = []string{"virtual=10.0.0.1:80", "virtual=10.0.0.1:443", "virtual=10.0.0.2:80", "virtual=7"}

func (p planner) file() planFile {
	f := planFile{outside: p.some(planLines.outside, 8)}
	for _, head := range planHeads {
		if p.IntN(2) == 0 {
			f.blocks = append(f.blocks, p.block(head))
		}
	}
	return f
}

// changed is another file than f, in a few lines.
func (p planner) changed(f planFile) planFile {
	f = planFile{slices.Clone(f.outside), slices.Clone(f.blocks)}
	swap := func(list []string, one func() string) []string {
		list = slices.Clone(list)
		switch i := p.IntN(3); {
		case i == 0 || len(list) == 0:
			return append(list, one())
		case i == 1:
			return slices.Delete(list, 0, 1)
		}
		list[p.IntN(len(list))] = one()
		return list
	}
	for range 1 + p.IntN(4) {
		switch i := p.IntN(8); {
		case i == 0:
			f.outside = swap(f.outside, func() string { return p.one(planLines.outside) })
		case i == 1 || len(f.blocks) == 0:
			f.blocks = append(f.blocks, p.block(p.one(planHeads)))
		case i == 2 && len(f.blocks) > 1:
			f.blocks = slices.Delete(f.blocks, 0, 1)
		case i < 5:
			b := &f.blocks[p.IntN(len(f.blocks))]
			b.reals = swap(b.reals, p.real)
		default:
			b := &f.blocks[p.IntN(len(f.blocks))]
			b.lines = swap(b.lines, func() string { return p.one(planLines.block) })
		}
	}
	return f
}

// valid is a file of make that can be read.
func (p planner) valid(make func() planFile) planFile {
	for {
		f := make()
		if _, err := conf.Parse("t.cf", []byte(f.String()), conf.Options{Hostname: "director", IsDir: func(string) bool { return true }}); err == nil {
			return f
		}
	}
}

// deeds are lines of a script: something that happens before a reload.
func (p planner) deeds() []string {
	real := fmt.Sprintf("10.1.0.%d", 1+p.IntN(3))
	switch p.IntN(12) {
	case 0:
		return []string{"breaks " + real + ": down"}
	case 1:
		return []string{"breaks " + real + ":" + p.one([]string{"80", "81", "82", "83"}) + " down"}
	case 2:
		return []string{"breaks http://" + real + ": drains 404 Not Found"}
	case 3, 4:
		return []string{"works " + p.one([]string{real + ":", "http://" + real + ":"})}
	case 5:
		return []string{"order " + p.one([]string{"drain", "disable", "enable", "enable"}) + " " + real}
	case 6:
		return []string{"order weight " + real + " 3"}
	case 7:
		return []string{p.one([]string{"touch ", "rm "}) + real}
	case 8, 9: // it goes and comes back: it may wait for an operator then, or be damped
		once := []string{"breaks " + real + ": down", "wait 15s", "works " + real + ":", "wait 20s"}
		return slices.Concat(once, once[:2*(1+p.IntN(2))])
	}
	return []string{"wait " + p.one([]string{"1s", "6s", "20s"})}
}

// TestPlanOfRandomFiles plans reloads of random files and compares each plan with what the reload
// then does to the table.
func TestPlanOfRandomFiles(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 80
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { planAndReload(t, uint64(seed)) })
		})
	}
}

func planAndReload(t *testing.T, seed uint64) {
	p := planner{rand.New(rand.NewPCG(seed, 1))}
	first := p.valid(p.file)
	s := newStage(t, &txtar.Archive{Files: []txtar.File{{Name: "1", Data: []byte(first.String())}}})
	var mu sync.Mutex
	var done []string
	told := s.table.OnChange
	s.table.OnChange = func(c ipvs.Change) {
		told(c)
		mu.Lock()
		defer mu.Unlock()
		done = append(done, c.String())
	}
	s.start("1")
	f := first
	for round := 2; round < 6; round++ {
		for range p.IntN(8) {
			for _, line := range p.deeds() {
				if file, ok := strings.CutPrefix(line, "rm "); ok {
					if _, err := os.Stat(filepath.Join(s.dir, file)); err != nil {
						continue
					}
				}
				s.write("> " + line)
				s.perform(strings.Fields(line))
				synctest.Wait()
			}
		}
		next := p.valid(func() planFile { return p.changed(f) })
		name := fmt.Sprint(round)
		s.archive.Files = append(s.archive.Files, txtar.File{Name: name, Data: []byte(next.String())})
		plan, err := s.d.Plan(t.Context(), s.load(name))
		if err != nil {
			t.Fatal(err)
		}
		planned := copyOf(t, s.table)
		var lines []string
		for _, c := range plan.Changes {
			lines = append(lines, c.String())
			if err := planned.Apply(c); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		}
		mu.Lock()
		done = nil
		mu.Unlock()
		s.write("> reload " + name)
		s.perform([]string{"reload", name})
		synctest.Wait()
		mu.Lock()
		did := slices.Clone(done)
		mu.Unlock()
		diff := cmp.Diff(saved(t, planned), saved(t, s.table))
		if len(lines) == 0 { // a reload may set a weight and then delete; it does nothing where nothing is planned
			diff += cmp.Diff(lines, did)
		}
		if diff != "" {
			t.Errorf("reload %s (-planned +done):\n%s\nbefore:\n%s\nafter:\n%s\n%s", name, diff, f, next, s.out.String())
			break
		}
		f = next
	}
	s.stop()
	time.Sleep(time.Second) // look-ups of names end
}

// copyOf is another table with the same entries.
func copyOf(t *testing.T, table ipvs.Table) *ipvs.Memory {
	t.Helper()
	c := ipvs.NewMemory()
	for _, e := range entriesOf(t, table) {
		mustApply(t, c, ipvs.Change{Op: ipvs.AddService, Service: e.Service})
		for _, dst := range e.Destinations {
			mustApply(t, c, ipvs.Change{Op: ipvs.AddDestination, Service: e.Service, Destination: dst})
		}
	}
	return c
}
