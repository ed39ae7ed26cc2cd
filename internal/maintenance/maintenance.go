// Package maintenance watches the directory of the directive maintenancedir, in
// which a file named after a real server takes that out of service.
//
// What cannot be found out stays as it was: a directory that cannot be read takes
// out whom it took out when it was read last, and an address whose name cannot be
// looked up keeps its name.
package maintenance

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/state"
)

// Interval is how often the directory is looked at; a file has its effect within
// this time.
const Interval = 500 * time.Millisecond

// slowNames is how long a file may wait for the first answers of the resolver
// before it is reported as one that takes out no real server.
const slowNames = 10 * time.Second

// Options are what a Watcher works with. The zero value works.
type Options struct {
	NamesOf NamesOf           // nil is Resolve
	Kept    state.Maintenance // what the last process has kept
	// Keep keeps what is known for the next process. It may take its time. Nil
	// keeps nothing. After an error it is called again within some seconds.
	Keep func(state.Maintenance) error
	// ReadDir is the names of the files in a directory, sorted. Nil reads it.
	ReadDir func(dir string) ([]string, error)
}

// State is how things are with a maintenance directory.
type State struct {
	Dir       string `json:"dir"`
	Error     string `json:"error,omitempty"`     // why it cannot be read, "" if it can
	Unsaved   string `json:"unsaved,omitempty"`   // why a restart would not know what is known now
	Unmatched []File `json:"unmatched,omitempty"` // files that take out no real server
}

// A File is one that takes out no real server.
type File struct {
	Name string `json:"file"`
	Why  string `json:"why"`

	waiting bool // for the first answers of the resolver
}

// A Report is the real servers in maintenance, each with its file.
type Report struct {
	Out   map[netip.AddrPort]string
	State State
}

// A Watcher watches the maintenance directory of the configuration in force.
type Watcher struct {
	o       Options
	hosts   *hosts
	reader  *reader
	reports chan Report
	configs chan *conf.Config

	mu    sync.Mutex
	files []string // of the last look that succeeded
}

// New returns a Watcher that does nothing until Run but answer Lookup.
func New(o Options) *Watcher {
	if o.NamesOf == nil {
		o.NamesOf = Resolve
	}
	if o.ReadDir == nil {
		o.ReadDir = readDir
	}
	return &Watcher{
		o:       o,
		hosts:   newHosts(o.NamesOf, o.Kept.Names),
		reader:  &reader{read: o.ReadDir},
		reports: make(chan Report),
		configs: make(chan *conf.Config, 1),
		files:   slices.Sorted(slices.Values(o.Kept.Files)),
	}
}

// Reports delivers a Report after each Watch and whenever something has changed.
func (w *Watcher) Reports() <-chan Report { return w.reports }

// Watch makes Run watch the directory of cfg from now on. It does not block.
func (w *Watcher) Watch(cfg *conf.Config) {
	select { // only the newest counts
	case <-w.configs:
	default:
	}
	w.configs <- cfg
}

// Lookup is the real servers of cfg that are in maintenance, whether cfg is
// watched or not. It takes two seconds at most and may be called from any
// goroutine.
func (w *Watcher) Lookup(cfg *conf.Config) map[netip.AddrPort]string {
	files, _ := w.look(cfg.MaintenanceDir)
	names, _, _, _ := w.hosts.known()
	out, _ := outBy(files, cfg, names)
	return out
}

// look is the files in a directory; those of the last look and why, if it cannot
// be read. There is none in no directory.
func (w *Watcher) look(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := w.reader.files(dir)
	if err != nil {
		return w.lastFiles(), err
	}
	return files, nil
}

func (w *Watcher) lastFiles() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files
}

// holds says whether a file of the last look names the host.
func (w *Watcher) holds(host string) bool { return names(w.lastFiles(), host) }

// Run watches until ctx is done.
func (w *Watcher) Run(ctx context.Context) {
	go w.hosts.run(ctx, w.holds)
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	round := round{kept: w.o.Kept}
	for {
		select {
		case cfg := <-w.configs:
			round = newRound(cfg, &round)
			w.hosts.want(cfg)
			tick.Reset(Interval)
			if cfg.MaintenanceDir == "" {
				tick.Stop() // there is nothing to wake up for
			}
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if round.cfg == nil {
			continue
		}
		w.comeRound(ctx, &round)
	}
}

// A round is what the Watcher did last for one configuration.
type round struct {
	cfg     *conf.Config
	began   time.Time
	looked  bool // at least once
	files   []string
	err     error
	version int // of the names
	late    bool
	report  Report
	kept    state.Maintenance
	tried   time.Time // to keep, or to repeat questions
	unsaved error
}

// newRound begins with a configuration. What was kept for the one before is kept.
func newRound(cfg *conf.Config, last *round) round {
	return round{cfg: cfg, began: time.Now(), kept: last.kept, unsaved: last.unsaved}
}

// comeRound looks at the directory once and reports what has changed.
func (w *Watcher) comeRound(ctx context.Context, r *round) {
	files, err := w.look(r.cfg.MaintenanceDir)
	w.mu.Lock()
	w.files = files
	w.mu.Unlock()
	late := time.Since(r.began) >= slowNames
	same := r.looked && slices.Equal(files, r.files) && sameError(err, r.err) && !w.hosts.changed(r.version)
	if same && late == r.late && !w.mayTryAgain(r) {
		return // thousands of real servers need not be looked at
	}
	names, failed, asking, version := w.hosts.known()
	w.keep(r, names, err != nil, asking)
	out, unmatched := outBy(files, r.cfg, names)
	report := Report{Out: out, State: State{Dir: r.cfg.MaintenanceDir, Error: errorText(err), Unsaved: errorText(r.unsaved)}}
	report.State.Unmatched = explain(unmatched, unknown(r.cfg, names, failed), asking && !late)
	first := !r.looked
	r.looked, r.files, r.err, r.late, r.version = true, files, err, late, version
	if len(unmatched) > 0 && len(failed) > 0 && time.Since(r.tried) >= nameRetry {
		r.tried = time.Now()
		signal(w.hosts.retry)
	}
	if !first && report.same(r.report) {
		return
	}
	select {
	case w.reports <- report:
		r.report = report
	case <-ctx.Done():
	}
}

// mayTryAgain says whether something failed that may succeed now.
func (w *Watcher) mayTryAgain(r *round) bool {
	return (r.unsaved != nil || len(r.report.State.Unmatched) > 0) && time.Since(r.tried) >= nameRetry
}

// keep keeps what is known, if that has changed. While the names are being asked
// for only what is new in the directory is: a start writes once.
func (w *Watcher) keep(r *round, names map[netip.Addr][]string, unreadable, asking bool) {
	if w.o.Keep == nil || unreadable && r.kept.Dir == "" {
		return
	}
	m := state.Maintenance{Dir: r.cfg.MaintenanceDir, Files: w.lastFiles(), Names: names}
	sameFiles := m.Dir == r.kept.Dir && slices.Equal(m.Files, r.kept.Files)
	sameNames := maps.EqualFunc(m.Names, r.kept.Names, slices.Equal)
	if sameFiles && (sameNames || asking) && r.unsaved == nil {
		return
	}
	r.tried = time.Now()
	if r.unsaved = w.o.Keep(m); r.unsaved == nil {
		r.kept = m
	}
}

func (r Report) same(o Report) bool {
	return maps.Equal(r.Out, o.Out) && r.State.Dir == o.State.Dir && r.State.Error == o.State.Error &&
		r.State.Unsaved == o.State.Unsaved && slices.Equal(r.State.Unmatched, o.State.Unmatched)
}

func sameError(a, b error) bool { return errorText(a) == errorText(b) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A gap is the real servers whose names are not known.
type gap struct {
	n     int
	first string // one of them, and why
}

func unknown(cfg *conf.Config, names map[netip.Addr][]string, failed map[netip.Addr]error) gap {
	var g gap
	seen := map[netip.Addr]bool{}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			if _, known := names[r.Addr]; known || seen[r.Addr] {
				continue
			}
			seen[r.Addr] = true
			if err := failed[r.Addr]; err != nil && g.first == "" {
				g.first = fmt.Sprintf("%s: %v", r.Addr, err)
			}
			g.n++
		}
	}
	return g
}

// explain says why files take out no real server.
func explain(unmatched []string, g gap, waiting bool) []File {
	var list []File
	for _, name := range unmatched {
		f := File{Name: name, Why: "it is no real server's address or name", waiting: waiting && g.n > 0}
		switch {
		case g.n > 0 && g.first != "":
			f.Why = fmt.Sprintf("real servers without a known name: %d (%s)", g.n, g.first)
		case g.n > 0:
			f.Why = fmt.Sprintf("real servers whose names are still being looked up: %d", g.n)
		}
		list = append(list, f)
	}
	return list
}
