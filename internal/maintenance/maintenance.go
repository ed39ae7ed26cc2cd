// Package maintenance watches the directory of the directive maintenancedir, in
// which a file named after a real server takes that out of service.
//
// A failure leaves the state unchanged: while the directory is unreadable its last
// known files count, and an address whose name cannot be looked up keeps its name.
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

// Interval is the time between two reads of the directory; a file has its effect
// within this time.
const Interval = 500 * time.Millisecond

// slowNames is how long a file may wait for the resolver's first answers before it
// is reported as matching no real server.
const slowNames = 10 * time.Second

// Options are a Watcher's connections to the system. The zero value works.
type Options struct {
	NamesOf NamesOf           // nil is Resolve
	Kept    state.Maintenance // the state that the last process stored
	// Keep stores the state for the next process. It may take long. Nil stores
	// nothing. After an error it is called again within some seconds.
	Keep func(state.Maintenance) error
	// ReadDir returns the names of the files in a directory, sorted. Nil reads the
	// directory.
	ReadDir func(dir string) ([]string, error)
}

// State is the state of a maintenance directory.
type State struct {
	Dir       string `json:"dir"`
	Error     string `json:"error,omitempty"`     // why it is unreadable, "" if it is readable
	Unsaved   string `json:"unsaved,omitempty"`   // why the state is not stored for a restart
	Unmatched []File `json:"unmatched,omitempty"` // files that take out no real server
	NoOrders  []File `json:"no_orders,omitempty"` // files whose content is no order: they take out (maintenanceorders)
}

// A File is a file that takes no real server out.
type File struct {
	Name string `json:"file"`
	Why  string `json:"why"`

	waiting bool // for the resolver's first answers
}

// A Report is what the files do, and the state of the directory.
type Report struct {
	Taken
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
	files []string         // of the last successful read
	texts map[string]*text // likewise; nil without maintenanceorders
}

// New returns a Watcher. Before Run only its Lookup works.
func New(o Options) *Watcher {
	if o.NamesOf == nil {
		o.NamesOf = resolve
	}
	if o.ReadDir == nil {
		o.ReadDir = readDir
	}
	return &Watcher{
		o:       o,
		hosts:   newHosts(o.NamesOf, o.Kept.Names),
		reader:  &reader{read: o.ReadDir, known: textsOf(o.Kept)},
		reports: make(chan Report),
		configs: make(chan *conf.Config, 1),
		files:   slices.Sorted(slices.Values(o.Kept.Files)),
		texts:   textsOf(o.Kept),
	}
}

// Reports delivers a Report after each Watch and after each change.
func (w *Watcher) Reports() <-chan Report { return w.reports }

// Watch makes Run watch the directory of cfg from now on. It does not block.
func (w *Watcher) Watch(cfg *conf.Config) {
	select { // only the last one counts
	case <-w.configs:
	default:
	}
	w.configs <- cfg
}

// Lookup returns what the files do with the real servers of cfg, whether cfg is
// watched or not. It takes two seconds at most and may be called from any
// goroutine.
func (w *Watcher) Lookup(cfg *conf.Config) Taken {
	files, texts, _ := w.look(cfg)
	names, _, _, _ := w.hosts.known()
	taken, _ := outBy(files, meanings(files, texts, time.Now()), cfg, names)
	return taken
}

// look returns the files in the directory, with maintenanceorders their contents too; if it is
// unreadable, those of the last read and the error. Without a directory there are none.
func (w *Watcher) look(cfg *conf.Config) ([]string, map[string]*text, error) {
	if cfg.MaintenanceDir == "" {
		return nil, nil, nil
	}
	files, texts, err := w.reader.files(cfg.MaintenanceDir, cfg.MaintenanceOrders)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if texts = w.texts; !cfg.MaintenanceOrders {
			texts = nil
		} else if texts == nil {
			texts = map[string]*text{}
		}
		return w.files, texts, err
	}
	return files, texts, nil
}

// textsOf are the contents of the files that the last process has known.
func textsOf(kept state.Maintenance) map[string]*text {
	if kept.Texts == nil {
		return nil
	}
	texts := map[string]*text{}
	for name, t := range kept.Texts {
		texts[name] = &text{body: t.Text, written: t.Written.UTC(), size: -1, settled: true}
	}
	return texts
}

// textsKept are contents for the next process.
func textsKept(texts map[string]*text) map[string]state.FileText {
	if texts == nil {
		return nil
	}
	kept := map[string]state.FileText{}
	for name, t := range texts {
		if t = t.counts(); t != nil && t.fault == "" {
			kept[name] = state.FileText{Text: t.body, Written: t.written}
		}
	}
	return kept
}

func (w *Watcher) lastFiles() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files
}

func (w *Watcher) lastTexts() map[string]*text {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.texts
}

// holds reports whether a file of the last read is named after the host.
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
				tick.Stop() // nothing to watch
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

// A round is the state of the Watcher for one configuration.
type round struct {
	cfg     *conf.Config
	began   time.Time
	looked  bool // at least once
	files   []string
	texts   map[string]*text
	end     time.Time // of the first order; zero is never
	err     error
	version int // of the names
	late    bool
	report  Report
	kept    state.Maintenance
	tried   time.Time // to store the state, or to repeat lookups
	unsaved error
}

// newRound begins with a configuration. The stored state of the last one is stored
// still.
func newRound(cfg *conf.Config, last *round) round {
	return round{cfg: cfg, began: time.Now(), kept: last.kept, unsaved: last.unsaved}
}

// comeRound reads the directory once and reports changes.
func (w *Watcher) comeRound(ctx context.Context, r *round) {
	files, texts, err := w.look(r.cfg)
	w.mu.Lock()
	w.files, w.texts = files, texts
	w.mu.Unlock()
	now := time.Now()
	late := time.Since(r.began) >= slowNames
	same := r.looked && slices.Equal(files, r.files) && sameError(err, r.err) && !w.hosts.changed(r.version) &&
		maps.Equal(texts, r.texts) && settled(texts) && (r.end.IsZero() || now.Before(r.end))
	if same && late == r.late && !w.mayTryAgain(r) {
		return // no need to visit thousands of real servers
	}
	names, failed, asking, version := w.hosts.known()
	w.keep(r, names, err != nil, asking)
	means := meanings(files, texts, now)
	taken, unmatched := outBy(files, means, r.cfg, names)
	report := Report{Taken: taken, State: State{Dir: r.cfg.MaintenanceDir, Error: errorText(err), Unsaved: errorText(r.unsaved)}}
	report.State.Unmatched = explain(unmatched, unknown(r.cfg, names, failed), asking && !late)
	report.State.explainOrders(files, means, unmatched)
	r.texts, r.end = texts, nextEnd(taken.Orders)
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

// mayTryAgain reports whether a failure is due for a retry.
func (w *Watcher) mayTryAgain(r *round) bool {
	return (r.unsaved != nil || len(r.report.State.Unmatched) > 0) && time.Since(r.tried) >= nameRetry
}

// keep stores the state if it has changed. During the first lookups only a change
// in the directory counts: a start writes once.
func (w *Watcher) keep(r *round, names map[netip.Addr][]string, unreadable, asking bool) {
	if w.o.Keep == nil || unreadable && r.kept.Dir == "" {
		return
	}
	m := state.Maintenance{Dir: r.cfg.MaintenanceDir, Files: w.lastFiles(), Names: names, Texts: textsKept(w.lastTexts())}
	sameFiles := m.Dir == r.kept.Dir && slices.Equal(m.Files, r.kept.Files) && maps.EqualFunc(m.Texts, r.kept.Texts, state.FileText.Equal)
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
	return maps.Equal(r.Out, o.Out) && maps.Equal(r.Orders, o.Orders) && slices.Equal(r.State.NoOrders, o.State.NoOrders) && r.State.Dir == o.State.Dir && r.State.Error == o.State.Error &&
		r.State.Unsaved == o.State.Unsaved && slices.Equal(r.State.Unmatched, o.State.Unmatched)
}

func sameError(a, b error) bool { return errorText(a) == errorText(b) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A gap is the real servers without known names.
type gap struct {
	n     int
	first string // one of them, and the error
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

// explain returns the reasons why files take no real server out.
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
