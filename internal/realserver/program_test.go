package realserver_test

import (
	"bufio"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A program is ldirectord at work in a dry run: the real one, with a table in
// memory, whose lines are followed.
type program struct {
	t     *testing.T
	ended chan struct{} // closed when there are no more lines

	mu      sync.Mutex
	all     strings.Builder
	verdict map[string]string    // by virtual service: "up", or why it is down
	told    map[string]time.Time // the time of the line
	weight  map[string]string    // by virtual service: as the table has it
	more    chan struct{}        // a line has come
}

// run starts the program with a configuration and ends it with the test.
func run(t *testing.T, config string) *program {
	t.Helper()
	p := &program{
		t: t, ended: make(chan struct{}),
		verdict: map[string]string{}, told: map[string]time.Time{}, weight: map[string]string{}, more: make(chan struct{}, 1),
	}
	cmd := exec.Command(lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord"), "--dry-run", config, "start")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.hear(lines.Text())
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.ended
		cmd.Wait()
	})
	return p
}

// patience is how long a verdict may take on a busy machine.
const patience = eventually.Limit

var (
	verdictLine = regexp.MustCompile(`^\S+ \S+, \S+ is (gone|back)\. \(\w+ (\S+): (.*)\)$`)
	startedLine = regexp.MustCompile(`^\S+ \S+, started: (\d) of 1 in service(?:; out: \S+ \((.*)\))? \(\w+ (\S+)\)$`)
	weightLine  = regexp.MustCompile(`\] ipvsadm -[ae] -[tu] (\S+) -r .* -w (\d+)$`)
	deletedLine = regexp.MustCompile(`\] ipvsadm -d -[tu] (\S+) `)
)

// hear takes note of a line.
func (p *program) hear(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.WriteString(line + "\n")
	if m := verdictLine.FindStringSubmatch(line); m != nil {
		p.verdict[m[2]], p.told[m[2]] = m[3], time.Now()
		if m[1] == "back" {
			p.verdict[m[2]] = "up"
		}
	}
	if m := startedLine.FindStringSubmatch(line); m != nil {
		p.verdict[m[3]], p.told[m[3]] = m[2], time.Now()
		if m[1] == "1" {
			p.verdict[m[3]] = "up"
		}
	}
	if m := weightLine.FindStringSubmatch(line); m != nil {
		p.weight[m[1]] = m[2]
	}
	if m := deletedLine.FindStringSubmatch(line); m != nil {
		delete(p.weight, m[1])
	}
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// said is its output so far.
func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

// await waits until nothing is wrong any more, and fails with what still is.
func (p *program) await(when string, wrong func() []string) {
	p.t.Helper()
	late := time.After(patience)
	fail := func(why string, left []string) {
		said := p.said()
		p.t.Fatalf("%s, %s:\n%s\nldirectord said:\n%s", when, why, strings.Join(left, "\n"), said[max(0, len(said)-4096):])
	}
	for {
		p.mu.Lock()
		left := wrong()
		p.mu.Unlock()
		if len(left) == 0 {
			return
		}
		select {
		case <-p.more:
		case <-p.ended:
			fail("but it has ended", left)
		case <-late:
			fail("still after "+patience.String(), left)
		}
	}
}
