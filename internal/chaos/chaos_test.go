package chaos

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/names"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

var (
	seedFlag   = flag.Uint64("chaos.seed", 0, "play the events of this seed; 0 is another one each time, or 1 where no number of events is given")
	eventsFlag = flag.Int("chaos.events", 0, "how many events on the table in memory; 0 is a few seconds' worth")
	kernelFlag = flag.Int("chaos.kernel", 0, "how many events on the kernel's table; 0 is a few seconds' worth")
	chaosLog   = flag.Bool("chaos.log", false, "print what the director logs")
)

// run is how many events one director sees before the next one begins.
const run = 400

// TestChaos plays random events on the table in memory.
func TestChaos(t *testing.T) {
	events := cmp.Or(*eventsFlag, 6*run)
	chaos(t, events, seed(*eventsFlag), func() ipvs.Table { return ipvs.NewMemory() })
}

// seed is the first seed for a number of events that was given. Without one it is always the
// same: "make test" says the same of the same program, and "make test-chaos" looks for more.
func seed(given int) uint64 {
	if given == 0 {
		return cmp.Or(*seedFlag, 1)
	}
	return cmp.Or(*seedFlag, now())
}

// TestChaosKernel plays them on the table of the lab's kernel.
func TestChaosKernel(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table, err := ipvs.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	events := cmp.Or(*kernelFlag, run)
	chaos(t, events, seed(*kernelFlag), func() ipvs.Table {
		entries, err := table.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := table.Apply(ipvs.Change{Op: ipvs.DeleteService, Service: e.Service}); err != nil {
				t.Fatal(err)
			}
		}
		return table
	})
}

func now() uint64 { return uint64(time.Now().UnixNano()) }

// chaos plays events, from those of seed on: run of them for each.
func chaos(t *testing.T, events int, seed uint64, table func() ipvs.Table) {
	began, judged, done := time.Now(), 0, 0
	for ; done < events; done += run {
		w := newWorld()
		synctest.Test(t, func(t *testing.T) {
			newStage(t, w, table(), seed).play(min(run, events-done))
		})
		if judged += w.judged; done > 0 && done%(50*run) == 0 {
			t.Logf("%d events, %d writes judged", done, judged)
		}
		if len(w.wrong) > 0 {
			t.Fatalf("with -chaos.seed=%d after %d events:\n%s\nthe last events:\n%s", seed, done, strings.Join(w.wrong, "\n"),
				strings.Join(w.history[max(0, len(w.history)-25):], "\n"))
		}
		seed++
	}
	t.Logf("%d events, %d writes judged, none wrong, in %v; the last seed was %d", done, judged, time.Since(began).Round(time.Millisecond), seed)
}

// A stage is one director at work on a table.
type stage struct {
	*world
	t      *testing.T
	random *rand.Rand // of the events
	luck   *rand.Rand // of the kernel, when it fails
	logs   bool       // what happens
	logMu  sync.Mutex
	log    []string // of events, changes and what the director says, with their times; empty without logs
	loads  int
	asked  map[checker.Checker]asked
	ipvs.Table

	d       *director.Director
	end     func()
	epoch   int          // of the director that may write
	whole   *conf.Config // in force
	book    *names.Book
	answers *names.Reading // of the file that was read last
	kept    state.Maintenance

	failing  int  // of a hundred changes, how many fail
	blind    bool // the table cannot be read
	dirError error
	full     bool // nothing can be kept
	local    bool // no check can be made
}

func newStage(t *testing.T, w *world, table ipvs.Table, seed uint64) *stage {
	s := &stage{world: w, t: t, Table: table, logs: *chaosLog, random: rand.New(rand.NewPCG(seed, 1)), luck: rand.New(rand.NewPCG(seed, 2))}
	w.blindfolded = s.random.IntN(8) == 0
	if s.random.IntN(3) == 0 {
		w.services[services].join()
	}
	w.twins = s.random.IntN(3) == 0
	w.orders, w.dir = s.random.IntN(2) == 0, t.TempDir()
	foreign := ipvs.Change{Op: ipvs.AddService, Service: ipvs.Service{Key: keyOf(99), Scheduler: "wlc"}}
	if err := table.Apply(foreign); err != nil {
		t.Fatal(err)
	}
	w.made(foreign)
	return s
}

// play plays events. It begins and ends with all settled.
func (s *stage) play(events int) {
	for n := 1; n <= services; n++ {
		s.shake(n)
		s.services[n].configured = true
	}
	s.start()
	for i := range events {
		s.event()
		if i%20 == 19 || i == events-1 {
			s.settle()
		}
		wrong := 0
		s.with(func() { wrong = len(s.wrong) })
		if wrong > 0 {
			break
		}
	}
	s.end()
}

// A wire leads from one director to the table until the director is killed.
type wire struct {
	*stage
	epoch int
	read  bool
}

// first says whether the table is read for the first time.
func (w *wire) first() bool {
	before := w.read
	w.read = true
	return !before
}

var errNoMemory = fmt.Errorf("the kernel is out of memory: %w", syscall.ENOMEM)

func (w *wire) Read() ([]ipvs.Entry, error) {
	if w.first() {
		w.await(tableRead)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blindfolded && !w.loading && !w.reading {
		w.say("the table is read, although driftcheck = 0")
	}
	if w.blind {
		return nil, errNoMemory
	}
	clear(w.lost)
	return w.Table.Read()
}

func (w *wire) Close() error { return nil }

func (w *wire) Apply(c ipvs.Change) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.epoch != w.stage.epoch {
		return nil
	}
	chance := w.luck.IntN(200)
	if chance < w.failing {
		return errNoMemory
	}
	seen := len(w.wrong)
	w.judge(c)
	err := w.Table.Apply(c)
	if err != nil {
		w.wrong = w.wrong[:seen] // it was not made
		w.record("refused: %s: %v", c, err)
		return err
	}
	w.record("%s", c)
	w.made(c)
	at := place{c.Service.Key, c.Destination.AddrPort}
	if w.failing == 0 { // else the director may act on an earlier answer in the same turn
		delete(w.lost, at)
	}
	if chance < 2*w.failing && !w.blindfolded { // made, and the answer is lost
		w.lost[at] = true
		if n := number(at.key); n > 0 && c.Op == ipvs.DeleteDestination {
			w.deleted(w.services[n], at.at)
		}
		return errNoMemory
	}
	return nil
}

func (s *stage) start() {
	s.await(started)
	s.mu.Lock()
	s.epoch++
	for _, v := range s.services[1:] {
		for _, p := range v.pairs[1:] {
			p.verdict, p.fails, p.goods, p.held, p.heard, p.kept, p.climbed, p.parts = unchecked, 0, 0, false, false, false, time.Time{}, nil
			p.wasIn, p.mayBeIn, p.carried = false, false, false
			p.found = false
			p.wishes = wishes{exits: p.wishes.exits}
			p.forgetShare(v)
		}
	}
	if s.dirError == nil {
		s.seen = maps.Clone(s.files)
	}
	s.begin(true)
	s.loading, s.starting, s.asked = true, true, map[checker.Checker]asked{}
	epoch := s.epoch
	s.mu.Unlock()
	var damped []state.Damped
	var gone []state.Gone
	var orders []report.Override
	if s.d != nil {
		damped, gone, orders = s.d.Damped(), s.d.Gone(), s.d.Overrides()
	}
	s.d = director.New(director.Options{
		Table: &wire{stage: s, epoch: epoch}, Ask: func(ctx context.Context, c checker.Checker, _ time.Duration, attempts int) engine.Result {
			return s.ask(ctx, c, attempts)
		},
		Maintenance: maintenance.Options{
			NamesOf: func(context.Context, netip.Addr) ([]string, error) { s.await(named); return nil, nil },
			Kept:    s.kept,
			Keep: func(k state.Maintenance) error {
				s.await(kept)
				s.mu.Lock()
				defer s.mu.Unlock()
				s.tell()
				if s.full {
					return syscall.ENOSPC
				}
				s.kept = k
				return nil
			},
			ReadDir: s.readDir,
		},
		Sink: func(e event.Event) {
			if s.logs {
				s.record("director: %s", e)
			}
		},
		Log:       func(format string, args ...any) { s.record("director: "+format, args...) },
		Overrides: orders, Damped: damped, Gone: gone,
	})
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	s.book = names.New(func(_ context.Context, name string, _ bool) ([]conf.Found, error) { return s.lookup(name) }, s.record, &conf.Config{})
	cfg := s.parse()
	s.whole = cfg
	s.book.Use(cfg, s.answers)
	d := s.d
	go func() { ended <- d.Run(ctx, cfg) }()
	<-s.d.Ready()
	s.end = func() {
		s.with(func() { s.stopping = true })
		defer s.with(func() { s.stopping = false })
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	}
	synctest.Wait()
	s.with(func() { s.loading, s.starting = false, false; s.tell() })
	s.sleep(time.Millisecond)
}

func (s *stage) parse() *conf.Config {
	var text string
	s.with(func() {
		s.answers = s.book.Read(true)
		text = s.text()
	})
	cfg, err := conf.Parse("chaos.cf", []byte(text), s.answers.Into(conf.Options{
		Hostname: "director", IsDir: func(string) bool { return true }, Refusals: table.Refusals,
	}))
	if err != nil {
		s.t.Fatalf("%v\n%s", err, text)
	}
	if cfg.DriftCheck > 0 {
		cfg.DriftCheck += 7 // see lanes
	}
	return cfg
}

func (s *stage) readDir(string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dirError != nil {
		return nil, s.dirError
	}
	s.seen = maps.Clone(s.files)
	return slices.Sorted(maps.Keys(s.files)), nil
}
