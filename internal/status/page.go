package status

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html/template"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

//go:embed assets
var assets embed.FS

// frame is the page around its parts.
var frame = template.Must(template.ParseFS(assets, "assets/page.html"))

// pageAge is the greatest age of the page, and the time between two updates.
const pageAge = 2 * time.Second

// recentNotes is the number of transitions on the page.
const recentNotes = 30

// A page draws the status page, once for all readers.
type page struct {
	source  *source
	history func(context.Context, report.HistoryQuery) ([]report.Note, error)
	version string

	mu   sync.Mutex
	last *drawing
}

// A drawing is the page at one moment.
type drawing struct {
	at        time.Time // of the drawing
	asOf      time.Time // of the data
	title     string
	structure string // of its parts; if it differs, the browser has to load the page again
	version   string // of all of it
	summary   part
	notes     part
	groups    []group
}

// A group is a virtual service.
type group struct {
	head part
	name string
	rows []row
}

// draw returns a drawing that is at most pageAge old.
func (p *page) draw(ctx context.Context) (*drawing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != nil && time.Since(p.last.at) < pageAge {
		return p.last, nil
	}
	snap, err := p.source.get()
	if err != nil {
		return nil, err
	}
	notes, err := p.history(ctx, report.HistoryQuery{Verdicts: true, Limit: recentNotes})
	if err != nil {
		return nil, err
	}
	p.last = newDrawing(snap, notes)
	return p.last, nil
}

func newDrawing(s *report.Snapshot, notes []report.Note) *drawing {
	h := words.Judge(s)
	d := &drawing{at: time.Now(), asOf: s.Time, title: h.Words, summary: summaryPart(s, h), notes: notesPart(notes, s.Time), groups: make([]group, len(s.Virtuals))}
	structure, version := fnv.New64a(), fnv.New64a()
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		g := group{head: virtualPart(i, v), name: v.ID, rows: make([]row, len(v.Reals))}
		fmt.Fprintln(structure, v.ID)
		for j := range v.Reals {
			g.rows[j] = realPart(i, j, v, &v.Reals[j], s.Time)
			fmt.Fprintln(structure, v.Reals[j].Name)
		}
		d.groups[i] = g
	}
	d.structure = fmt.Sprintf("%x", structure.Sum64())
	for part := range d.parts {
		_, _ = io.WriteString(version, part.html)
	}
	d.version = fmt.Sprintf("%s-%x", d.structure, version.Sum64())
	return d
}

// parts are the elements of the page that may change.
func (d *drawing) parts(yield func(part) bool) {
	if !yield(d.summary) || !yield(d.notes) {
		return
	}
	for _, g := range d.groups {
		if !yield(g.head) {
			return
		}
		for _, r := range g.rows {
			if !yield(r.part) {
				return
			}
		}
	}
}

// changes are the parts that differ from an older drawing, by id. Without an old one all
// parts differ.
func (d *drawing) changes(old *drawing) map[string]string {
	had := map[string]string{}
	if old != nil {
		for p := range old.parts {
			had[p.id] = p.html
		}
	}
	changed := map[string]string{}
	for p := range d.parts {
		if had[p.id] != p.html {
			changed[p.id] = p.html
		}
	}
	return changed
}

// A frameData is the data of the frame besides the parts.
type frameData struct {
	Title, Host, Program, Version, Query string
	Age, AsOf                            string // of the data: in seconds, and as a time of day
	Wrong                                bool
	DryRun                               string // its notice, "" for a daemon
	Body                                 template.HTML
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	values, ok := asked(w, r, "q", "wrong")
	if !ok {
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	d, err := s.page.draw(ctx)
	if err != nil {
		http.Error(w, "the director does not answer", http.StatusServiceUnavailable)
		return
	}
	dryRun := ""
	if s.o.DryRun {
		dryRun = words.DryRun
	}
	host, _ := os.Hostname() // the page works without it
	query, wrong := values.Get("q"), values.Get("wrong") != ""
	var b bytes.Buffer
	err = frame.Execute(&b, frameData{
		Title: words.Mark(s.o.DryRun) + d.title, Host: host, DryRun: dryRun, Program: s.page.version, Version: d.version, Query: query, Wrong: wrong,
		Age: d.age(), AsOf: words.Clock(d.asOf, time.Now()),
		Body: template.HTML(d.body(strings.ToLower(strings.TrimSpace(query)), wrong)),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // the client may be gone
}

// body are the parts, with the real servers that match a filter.
func (d *drawing) body(query string, wrong bool) string {
	var b strings.Builder
	b.WriteString(d.summary.html)
	b.WriteString(`<section class="notes" aria-label="Recent transitions"><h2>Recently gone and back</h2>`)
	b.WriteString(d.notes.html)
	b.WriteString(`</section><div id="services">`)
	for _, g := range d.groups {
		fmt.Fprintf(&b, `<section class="service" aria-label="Virtual service %s">`, text(g.name))
		b.WriteString(g.head.html)
		b.WriteString(tableHead)
		for _, r := range g.rows {
			if (query == "" || strings.Contains(r.find, query)) && (!wrong || r.wrong) {
				b.WriteString(r.html)
			}
		}
		b.WriteString(`</tbody></table></section>`)
	}
	b.WriteString(`</div>`)
	return b.String()
}

const tableHead = `<table><thead><tr><th scope="col">Real server</th><th scope="col">Weight</th><th scope="col">Last check</th>` +
	`<th scope="col">Latency</th><th scope="col">Connections</th><th scope="col">New/s</th><th scope="col">Last 6 hours</th></tr></thead><tbody>`

// age is the age of the data in seconds.
func (d *drawing) age() string { return strconv.Itoa(int(max(0, time.Since(d.asOf)).Seconds())) }

// servePageStream sends the changes of the page, and its age even without changes: a page
// without contact differs from one without news. The client names the drawing that it has;
// if that is not known any more, it gets all parts once.
func (s *Server) servePageStream(w http.ResponseWriter, r *http.Request) {
	values, ok := asked(w, r, "version")
	if !ok {
		return
	}
	var have *drawing
	structure, _, _ := strings.Cut(values.Get("version"), "-")
	out := newStream(w)
	tick := time.NewTicker(pageAge)
	defer tick.Stop()
	for out.comment("listening"); out.err == nil; {
		d, err := s.page.draw(r.Context())
		switch {
		case err != nil:
			out.comment("the director does not answer")
		case d.structure != structure:
			out.send("reload", "{}")
			return
		case have == nil && d.version == values.Get("version"):
			have = d
		case d != have:
			sendChanges(out, d.changes(have))
			have = d
		}
		if err == nil {
			out.send("age", d.age())
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

func sendChanges(out *stream, changes map[string]string) {
	text, err := json.Marshal(changes)
	if err != nil || len(changes) == 0 {
		return
	}
	out.send("parts", string(text))
}

var assetTypes = map[string]string{
	"/style.css": "text/css; charset=utf-8", "/script.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml", "/icon-lost.svg": "image/svg+xml",
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
