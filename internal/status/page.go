package status

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

//go:embed assets
var assets embed.FS

// frame is the page around its parts.
var frame = template.Must(template.ParseFS(assets, "assets/page.html"))

// The times between two snapshots for the page. A snapshot costs more with more real servers:
// an expensive one comes at every other tick of the streams, unless something has happened.
const (
	pageAge    = 2 * time.Second
	pageAgeMax = 3 * time.Second // and up to a tick: the page reports lost contact at 7 s
	pageShare  = 200             // a snapshot is at most this part of the time
)

// recentNotes is the number of transitions on the page.
const recentNotes = 30

// drawingsKept is how many drawings can be continued by a stream that knows their version.
const drawingsKept = 32

// A page draws the status page. Readers of the same view share a drawing.
type page struct {
	source  *source
	history func(context.Context, report.HistoryQuery) ([]report.Note, error)
	version string // of the program
	build   string // of program and assets, the beginning of each drawing's version

	news atomic.Bool // something has happened since the last overview

	mu   sync.Mutex
	last *overview
	kept []*drawing // the newest last
}

// An overview is a snapshot, with what all views need of it.
type overview struct {
	at     time.Time     // of the overview
	lasts  time.Duration // until the next one
	snap   *report.Snapshot
	health words.Health
	sums   []words.VirtualHealth // of the virtual services
}

// draw returns a drawing of a view.
func (p *page) draw(ctx context.Context, v pageView) (*drawing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.overview()
	if err != nil {
		return nil, err
	}
	for _, d := range p.kept {
		if d.of == s && d.wanted == v {
			return d, nil
		}
	}
	q := report.HistoryQuery{Virtual: v.virtual, Real: v.real, Verdicts: true, Limit: recentNotes}
	notes, err := p.history(ctx, q)
	if err != nil && ctx.Err() != nil {
		return nil, err
	} // another error: there is no real server of that name
	d := newDrawing(s, v, notes, p.build)
	if len(p.kept) == drawingsKept {
		p.kept = append(p.kept[:0], p.kept[1:]...)
	}
	p.kept = append(p.kept, d)
	return d, nil
}

// overview returns one that is young enough.
func (p *page) overview() (*overview, error) {
	lasts := pageAge
	if p.last != nil && !p.news.Load() {
		lasts = p.last.lasts
	}
	if p.last != nil && time.Since(p.last.at) < lasts {
		return p.last, nil
	}
	p.news.Store(false)
	began := time.Now()
	snap, err := p.source.get()
	if err != nil {
		return nil, err
	}
	s := &overview{at: time.Now(), snap: snap, health: words.Judge(snap), sums: make([]words.VirtualHealth, len(snap.Virtuals))}
	for i := range snap.Virtuals {
		s.sums[i] = words.JudgeVirtual(&snap.Virtuals[i])
	}
	s.lasts = min(max(pageAge, pageShare*time.Since(began)), pageAgeMax)
	p.last = s
	return s, nil
}

// known returns a kept drawing, nil if its version is not known any more.
func (p *page) known(version string, v pageView) *drawing {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.kept {
		if d.version == version && d.wanted == v {
			return d
		}
	}
	return nil
}

// A frameData is the data of the frame besides the parts.
type frameData struct {
	Title, Host, Program, Version string
	Query, Virtual, Real          string // of the view
	Sort, VSort                   string
	Wrong                         bool
	Age, AsOf                     string // of the data: in seconds, and as a time of day
	DryRun                        string // its notice, "" for a daemon
	Fleet                         bool   // there is a page of the fleet
	Body                          template.HTML
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	v, _, ok := viewOf(w, r)
	if !ok {
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	d, err := s.page.draw(ctx, v)
	if err != nil {
		http.Error(w, "the director does not answer", http.StatusServiceUnavailable)
		return
	}
	dryRun := ""
	if s.o.DryRun {
		dryRun = words.DryRun
	}
	host, _ := os.Hostname() // the page works without it
	cfg := s.config()
	var b bytes.Buffer
	err = frame.Execute(&b, frameData{
		Title: words.Mark(s.o.DryRun) + d.title, Host: host, DryRun: dryRun, Fleet: cfg != nil && len(cfg.Directors) > 0, Program: s.page.version, Version: d.version,
		Query: v.query, Wrong: v.wrong, Virtual: v.virtual, Real: v.real, Sort: v.sort, VSort: v.vsort,
		Age: d.age(), AsOf: words.Clock(d.asOf, time.Now()), Body: template.HTML(d.body()),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	var out io.Writer = w
	if z := s.zips.zip(w, r); z != nil {
		defer z.close()
		out = z
	}
	_, _ = b.WriteTo(out) // the client may be gone
}

// servePageStream sends the changes of a view of the page, and its age even without changes:
// a page without contact differs from one without news. The client names the drawing that it
// has; if that is not known any more, it gets the view as a whole. Nothing is queued: a slow
// client gets what has changed since it was last served.
func (s *Server) servePageStream(w http.ResponseWriter, r *http.Request) {
	v, values, ok := viewOf(w, r, "version")
	if !ok {
		return
	}
	version := values.Get("version")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		version = last
	}
	z := s.zips.zip(w, r)
	defer z.close()
	out := newStream(w, z)
	out.comment("listening")
	if version != "" && !s.page.isOwn(version) {
		out.send("reload", "", "{}")
		return
	}
	have := s.page.known(version, v)
	tick := time.NewTicker(pageAge)
	defer tick.Stop()
	for out.err == nil {
		d, err := s.page.draw(r.Context(), v)
		switch {
		case err != nil:
			out.comment("the director does not answer")
		case have == nil:
			sendJSON(out, "view", d.version, d.body())
		case d.version != have.version:
			sendJSON(out, "parts", d.version, d.changes(have))
		}
		if err == nil {
			have = d
			out.send("age", "", d.age())
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.feed.ended:
			return
		}
	}
}

func sendJSON(out *stream, event, id string, data any) {
	if text, err := json.Marshal(data); err == nil { // strings only
		out.send(event, id, string(text))
	}
}

var assetTypes = map[string]string{
	"/style.css": "text/css; charset=utf-8", "/script.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml",
	"/fleet.js": "text/javascript; charset=utf-8",
}

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request) {
	text, err := assets.ReadFile("assets" + r.URL.Path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[r.URL.Path])
	_, _ = w.Write(text) // the client may be gone
}
