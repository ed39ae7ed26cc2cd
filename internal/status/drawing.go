package status

import (
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A drawing is a view of the page at one moment.
type drawing struct {
	of      *overview
	wanted  pageView  // as the reader has it
	asOf    time.Time // of the data
	title   string
	version string // of all of it: equal versions are equal pages
	parts   []part
	// The lists, by the id of their element.
	virtuals, reals rowList
	// The links that sort.
	virtualsHead, realsHead, orders string
}

// A rowList is the body of a table.
type rowList struct {
	id   string
	rows []row
}

func newDrawing(s *overview, wanted pageView, notes []report.Note, build string) *drawing {
	v := wanted
	sel := v.selectOf(s.snap, s.sums)
	d := &drawing{
		of: s, wanted: wanted, asOf: s.snap.Time, title: s.health.Words,
		virtuals: rowList{"virtuals", make([]row, 0, len(sel.virtuals))}, reals: rowList{"reals", make([]row, 0, len(sel.reals))},
		virtualsHead: virtualsHead(v), realsHead: realsHead(v), orders: otherOrders(v),
	}
	d.parts = []part{
		summaryPart(s.snap, s.health), onlyPart(v), notesPart(notes, s.snap.Time),
		pagesPart("vpages", len(sel.virtuals), sel.allVirtuals, v.vpage, virtualsShown, v, func(to pageView, n int) pageView { to.vpage = n; return to }),
		pagesPart("pages", len(sel.reals), sel.allReals, v.page, realsShown, v, func(to pageView, n int) pageView { to.page = n; return to }),
	}
	for _, i := range sel.virtuals {
		d.virtuals.rows = append(d.virtuals.rows, virtualRow(i, &s.snap.Virtuals[i], &s.sums[i]))
	}
	for _, p := range sel.reals {
		e := p.in(s.snap)
		d.reals.rows = append(d.reals.rows, realRow(p, e.Virtual, e.Real, s.snap.Time))
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, d.body())
	d.version = fmt.Sprintf("%s-%x", build, h.Sum64())
	return d
}

// buildOf is a name for a version of the program with its assets.
func buildOf(program string) string {
	h := fnv.New64a()
	_, _ = io.WriteString(h, program)
	_ = fs.WalkDir(assets, ".", func(path string, e fs.DirEntry, _ error) error {
		if !e.IsDir() {
			text, _ := assets.ReadFile(path) // it is embedded
			_, _ = h.Write(text)
		}
		return nil
	})
	return fmt.Sprintf("%x", h.Sum64())
}

// isOwn reports whether a version is of a drawing by this program.
func (p *page) isOwn(version string) bool { return strings.HasPrefix(version, p.build+"-") }

// A change is what differs between two drawings, by the ids of elements.
type change struct {
	Parts map[string]string         `json:"parts,omitempty"`
	Rows  map[string]string         `json:"rows,omitempty"`  // new ones, and those with another tag
	Cells map[string]map[int]string `json:"cells,omitempty"` // of the other rows, by their number
	Lists map[string][]string       `json:"lists,omitempty"` // the rows of lists with others, or in another order
}

// changes are what differs from an older drawing of the same view.
func (d *drawing) changes(old *drawing) change {
	c := change{Parts: map[string]string{}, Rows: map[string]string{}, Cells: map[string]map[int]string{}, Lists: map[string][]string{}}
	for i, p := range d.parts {
		if old.parts[i].html != p.html {
			c.Parts[p.id] = p.html
		}
	}
	c.add(&d.virtuals, &old.virtuals)
	c.add(&d.reals, &old.reals)
	return c
}

// add adds what differs between two lists.
func (c *change) add(l, old *rowList) {
	had := make(map[string]*row, len(old.rows))
	for i := range old.rows {
		had[old.rows[i].id] = &old.rows[i]
	}
	for i := range l.rows {
		r := &l.rows[i]
		o := had[r.id]
		if o == nil || o.open != r.open || len(o.cells) != len(r.cells) {
			c.Rows[r.id] = r.html()
			continue
		}
		for n, cell := range r.cells {
			if o.cells[n] == cell {
				continue
			}
			if c.Cells[r.id] == nil {
				c.Cells[r.id] = map[int]string{}
			}
			c.Cells[r.id][n] = cell
		}
	}
	if !slices.EqualFunc(l.rows, old.rows, func(a, b row) bool { return a.id == b.id }) {
		ids := make([]string, len(l.rows))
		for i := range l.rows {
			ids[i] = l.rows[i].id
		}
		c.Lists[l.id] = ids
	}
}

// body is the view as a whole, for the element main.
func (d *drawing) body() string {
	var b strings.Builder
	b.WriteString(d.parts[0].html + d.parts[1].html)
	b.WriteString(`<div id="lists"><section id="overview" aria-label="Virtual services"><h2>Virtual services ` + d.parts[3].html + `</h2><div class="scrolls" tabindex="0">`)
	d.virtuals.write(&b, d.virtualsHead)
	b.WriteString(`</div></section><section id="servers" aria-label="Real servers"><h2>Real servers ` + d.parts[4].html + d.orders + `</h2>`)
	d.reals.write(&b, d.realsHead)
	b.WriteString(`</section><section id="past" aria-label="Recent transitions"><h2>Recently gone and back</h2>` + d.parts[2].html + `</section></div>`)
	return b.String()
}

func (l *rowList) write(b *strings.Builder, head string) {
	fmt.Fprintf(b, `<table><thead><tr>%s</tr></thead><tbody id="%s">`, head, l.id)
	for i := range l.rows {
		b.WriteString(l.rows[i].html())
	}
	b.WriteString(`</tbody></table>`)
}

// age is the age of the data in seconds.
func (d *drawing) age() string { return strconv.Itoa(int(max(0, time.Since(d.asOf)).Seconds())) }
