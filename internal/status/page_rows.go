package status

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// A part is an element of the page that is sent again after a change. Its HTML is the
// whole element, with its id.
type part struct{ id, html string }

// A row is a row of a list. Its cells are sent again alone when they change.
type row struct {
	id    string
	open  string   // its tag
	cells []string // each with its tag
}

func (r *row) html() string { return r.open + strings.Join(r.cells, "") + "</tr>" }

// The rows are written by hand: html/template takes many times as long. All text from
// outside passes through text.

// text is s, escaped for an element and for an attribute.
func text(s string) string { return html.EscapeString(words.OneLine(s)) }

// key is the name of a virtual service or real server, escaped as by text. A long IPv6
// address may be broken after a colon.
func key(s string) string {
	if !strings.Contains(s, "[") {
		return text(s)
	}
	return strings.ReplaceAll(text(s), ":", ":<wbr>")
}

// linkTo is the address of the page about a virtual service, or about one of its real
// servers, escaped for an attribute.
func linkTo(virtual, real string) string {
	values := url.Values{"virtual": {virtual}}
	if real != "" {
		values.Set("real", real)
	}
	return html.EscapeString("/?" + values.Encode())
}

// virtualRow is the row of a virtual service.
func virtualRow(i int, v *report.VirtualState, h *words.VirtualHealth) row {
	var b strings.Builder
	fmt.Fprintf(&b, `<th scope="row"><a class="key" href="%s">%s</a>`, linkTo(v.ID, ""), key(v.Listed))
	if v.ServiceName != "" {
		fmt.Fprintf(&b, ` <span class="name">%s</span>`, text(v.ServiceName))
	}
	if v.Check != "" {
		fmt.Fprintf(&b, ` <small>%s</small>`, text(v.Check))
	}
	virtualRemarks(&b, v)
	b.WriteString(`</th>`)
	in := fmt.Sprintf(`<td class="num" data-label="In">%d of %d</td>`, v.In, h.Reals)
	if v.Foreign {
		in = `<td class="num" data-label="In"></td>`
	}
	return row{
		fmt.Sprintf("v%d", i), fmt.Sprintf(`<tr id="v%d" class="%s">`, i, h.Level), []string{
			b.String(), in,
			fmt.Sprintf(`<td class="num" data-label="Connections">%s <small>%s/s</small></td>`, words.Large(h.Active), words.Large(v.Stats.ConnectionRate)),
		},
	}
}

// virtualRemarks are what a reader has to know of a virtual service.
func virtualRemarks(b *strings.Builder, v *report.VirtualState) {
	remark := func(format, text string) { fmt.Fprintf(b, `<p class="remark">`+format+`</p>`, text) }
	if v.Foreign {
		remark("%s", "not in the configuration: left alone")
	}
	if !v.Present {
		remark("%s", "not in the kernel")
	}
	if !v.Served && !v.Waits && !v.Foreign {
		remark("%s", "not served")
	}
	switch {
	case v.FallbackIn:
		remark("fallback %s is in", key(v.Fallback))
	case v.Fallback != "":
		fmt.Fprintf(b, ` <small>fallback %s</small>`, key(v.Fallback))
	}
	if q := v.Quorum; q != nil && q.State != report.QuorumMet {
		remark("%s", q.Words())
	}
	for _, notice := range v.Notices {
		remark("%s", text(notice))
	}
}

// realRow is the row of a real server.
func realRow(p entryPlace, v *report.VirtualState, r *report.RealState, now time.Time) row {
	id := fmt.Sprintf("r%d-%d", p.virtual, p.real)
	out := row{id: id, open: fmt.Sprintf(`<tr id="%s" class="%s">`, id, words.LevelOf(r)), cells: make([]string, 0, len(realColumns))}
	var b strings.Builder
	cell := func(write func(*strings.Builder)) {
		b.Reset()
		write(&b)
		out.cells = append(out.cells, b.String())
	}
	cell(func(b *strings.Builder) {
		fmt.Fprintf(b, `<td class="state %s"><span>%s %s</span>`, r.State, words.Sign(r.State), r.State)
		if !r.Since.IsZero() {
			fmt.Fprintf(b, ` <small>since %s</small>`, moment(r.Since, now))
		}
		b.WriteString(`</td>`)
	})
	cell(func(b *strings.Builder) { nameCell(b, v, r) })
	cell(func(b *strings.Builder) { weightCell(b, r) })
	cell(func(b *strings.Builder) { lastCell(b, r, now) })
	cell(func(b *strings.Builder) { latencyCell(b, r) })
	cell(func(b *strings.Builder) { connectionsCell(b, r) })
	cell(func(b *strings.Builder) {
		fmt.Fprintf(b, `<td data-label="New per second" class="num">%s</td>`, words.Large(r.Stats.ConnectionRate))
	})
	cell(func(b *strings.Builder) { dayCell(b, r, now) })
	return out
}

func nameCell(b *strings.Builder, v *report.VirtualState, r *report.RealState) {
	fmt.Fprintf(b, `<th scope="row"><a class="key" href="%s">%s</a>`, linkTo(v.ID, r.Name), key(r.Name))
	if r.Host != "" {
		fmt.Fprintf(b, ` <small>%s</small>`, text(r.Host))
	}
	of := v.ServiceName
	if of == "" {
		of = v.ID
	}
	fmt.Fprintf(b, `<small class="of">of <a href="%s">%s</a></small></th>`, linkTo(v.ID, ""), key(of))
}

func weightCell(b *strings.Builder, r *report.RealState) {
	b.WriteString(`<td data-label="Weight" class="num">`)
	switch {
	case !r.Present:
		fmt.Fprintf(b, `out <small>(%d)</small>`, r.Configured)
	case r.Weight != r.Configured && r.State != report.StateForeign:
		fmt.Fprintf(b, `%d <small>(%d)</small>`, r.Weight, r.Configured)
	default:
		fmt.Fprintf(b, `%d`, r.Weight)
	}
	b.WriteString(`</td>`)
}

func lastCell(b *strings.Builder, r *report.RealState, now time.Time) {
	b.WriteString(`<td data-label="Last check" class="last">`)
	b.WriteString(text(words.LastCheck(r)))
	if r.Last != nil {
		fmt.Fprintf(b, ` <small>at %s</small>`, moment(r.Last.Time, now))
	}
	for _, remark := range words.Remarks(r, now.Truncate(time.Minute)) {
		fmt.Fprintf(b, `<p class="remark">%s</p>`, text(remark))
	}
	b.WriteString(`</td>`)
}

func latencyCell(b *strings.Builder, r *report.RealState) {
	b.WriteString(`<td data-label="Latency" class="num">`)
	if r.Last != nil {
		spark(b, r.Latencies)
		b.WriteString(" " + text(words.Span(r.Last.Took.Duration())))
	}
	b.WriteString(`</td>`)
}

func connectionsCell(b *strings.Builder, r *report.RealState) {
	fmt.Fprintf(b, `<td data-label="Connections" class="num">%s <small>+ %s</small>`, words.Large(uint64(r.Active)), words.Large(uint64(r.Inactive)))
	if r.Persistent > 0 {
		fmt.Fprintf(b, ` <small>(%s persistent)</small>`, words.Large(uint64(r.Persistent)))
	}
	b.WriteString(`</td>`)
}

func dayCell(b *strings.Builder, r *report.RealState, now time.Time) {
	b.WriteString(`<td data-label="Last 24 hours" class="num day">`)
	strip(b, r, now)
	fmt.Fprintf(b, ` %s`, words.Share(r.Day))
	if since := words.KnownSince(r.Day, now); since != "" {
		fmt.Fprintf(b, ` <small>since %s</small>`, since)
	}
	b.WriteString(`</td>`)
}

func moment(t, now time.Time) string {
	return fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), words.Clock(t, now))
}
