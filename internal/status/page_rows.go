package status

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// A part is an element of the page that is sent again after a change. Its HTML is the
// whole element, with its id.
type part struct{ id, html string }

// A row is a part that can be filtered.
type row struct {
	part
	find  string // the text that a filter searches
	wrong bool
}

// The rows are written by hand: with 10,000 real servers html/template takes seconds. All
// text from outside passes through text.

// text is s, escaped for an element and for an attribute.
func text(s string) string { return html.EscapeString(words.OneLine(s)) }

// virtualPart is the head of a virtual service.
func virtualPart(i int, v *report.VirtualState) part {
	var b strings.Builder
	id := fmt.Sprintf("v%d", i)
	fmt.Fprintf(&b, `<header id="%s"><h2><span class="key">%s</span>`, id, text(v.Listed))
	if v.ServiceName != "" {
		fmt.Fprintf(&b, ` <span class="name">%s</span>`, text(v.ServiceName))
	}
	b.WriteString(`</h2><p>`)
	switch {
	case v.Foreign:
		b.WriteString(`not in the configuration: left alone`)
	default:
		fmt.Fprintf(&b, `%s, <b>%d</b> in`, text(v.Check), v.In)
		if v.Fallback != "" {
			fmt.Fprintf(&b, `, fallback %s`, text(v.Fallback))
			if v.FallbackIn {
				b.WriteString(` <b class="bad">is in</b>`)
			}
		}
	}
	if !v.Present {
		b.WriteString(`, <b class="bad">not in the kernel</b>`)
	}
	fmt.Fprintf(&b, `; %s connections, %s/s</p></header>`, words.Large(v.Stats.Connections), words.Large(v.Stats.ConnectionRate))
	return part{id, b.String()}
}

// realPart is the row of a real server.
func realPart(i, j int, v *report.VirtualState, r *report.RealState, now time.Time) row {
	var b strings.Builder
	b.Grow(2 << 10)
	id := fmt.Sprintf("r%d-%d", i, j)
	l, find := words.LevelOf(r), strings.ToLower(words.Searched(v, r))
	wrong := ""
	if l != words.Fine {
		wrong = ` data-wrong`
	}
	fmt.Fprintf(&b, `<tr id="%s" class="%s"%s data-find="%s">`, id, l, wrong, text(find))
	fmt.Fprintf(&b, `<th scope="row"><span class="state %s">%s %s</span> %s`, r.State, words.Sign(r.State), r.State, text(r.Name))
	if r.Host != "" {
		fmt.Fprintf(&b, ` <small>%s</small>`, text(r.Host))
	}
	b.WriteString(`</th>`)
	weightCell(&b, r)
	lastCell(&b, r, now)
	b.WriteString(`<td data-label="Latency" class="num">`)
	if r.Last != nil {
		spark(&b, r.Latencies)
		b.WriteString(" " + text(words.Span(r.Last.Took.Duration())))
	}
	fmt.Fprintf(&b, `</td><td data-label="Connections" class="num">%s <small>+ %s</small>`, words.Large(uint64(r.Active)), words.Large(uint64(r.Inactive)))
	if r.Persistent > 0 {
		fmt.Fprintf(&b, ` <small>(%s persistent)</small>`, words.Large(uint64(r.Persistent)))
	}
	fmt.Fprintf(&b, `</td><td data-label="New per second" class="num">%s</td><td data-label="Last hours">`, words.Large(r.Stats.ConnectionRate))
	strip(&b, r, now)
	b.WriteString(`</td></tr>`)
	return row{part{id, b.String()}, find, l != words.Fine}
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
	if !r.Since.IsZero() {
		fmt.Fprintf(b, `<small>since %s</small> `, moment(r.Since, now))
	}
	b.WriteString(text(words.LastCheck(r)))
	if r.Last != nil {
		fmt.Fprintf(b, ` <small>at %s</small>`, moment(r.Last.Time, now))
	}
	for _, remark := range words.Remarks(r, now.Truncate(time.Minute)) {
		fmt.Fprintf(b, `<p class="remark">%s</p>`, text(remark))
	}
	b.WriteString(`</td>`)
}

func moment(t, now time.Time) string {
	return fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), words.Clock(t, now))
}

// summaryPart is the part to be seen at a glance.
func summaryPart(s *report.Snapshot, h words.Health) part {
	var b strings.Builder
	fmt.Fprintf(&b, `<section id="summary" class="%s" role="status" aria-label="Summary"><h1>%s</h1><dl>`, h.Level, text(h.Words))
	item := func(name, format string, args ...any) {
		fmt.Fprintf(&b, `<div><dt>%s</dt><dd>%s</dd></div>`, name, text(fmt.Sprintf(format, args...)))
	}
	item("Virtual services", "%d", h.Virtuals)
	item("Real servers in", "%d of %d", h.In, h.Reals)
	item("Orders in force", "%d", h.Overrides)
	item("Checks", "%d, %d under way", s.Lag.Checks, s.Lag.Running)
	item("Behind", "%d overdue, worst delay %s, longest turn %s", s.Lag.Overdue, words.Span(s.Lag.Worst.Duration()), words.Span(s.Lag.Turn.Duration()))
	item("Repaired in the kernel", "%d", s.Kernel.Repairs)
	item("Daemon", "%s since %s", s.State, words.Clock(s.Started, s.Time))
	item("Configuration", "%s, loaded %s", s.Config, words.Clock(s.Loaded, s.Time))
	b.WriteString(`</dl>`)
	if len(h.Troubles) > 0 {
		b.WriteString(`<ul class="troubles">`)
		for _, trouble := range h.Troubles[:min(len(h.Troubles), mostTroubles)] {
			fmt.Fprintf(&b, `<li>%s</li>`, text(trouble))
		}
		if more := len(h.Troubles) - mostTroubles; more > 0 {
			fmt.Fprintf(&b, `<li>and %d more</li>`, more)
		}
		b.WriteString(`</ul>`)
	}
	b.WriteString(`</section>`)
	return part{"summary", b.String()}
}

const mostTroubles = 20

// notesPart are the last transitions, the newest first.
func notesPart(notes []report.Note, now time.Time) part {
	var b strings.Builder
	b.WriteString(`<ol id="notes" tabindex="0">`)
	for i := len(notes) - 1; i >= 0; i-- {
		n := notes[i]
		fmt.Fprintf(&b, `<li class="%s">%s <span class="key">%s</span> %s`, text(strings.ReplaceAll(n.Kind, " ", "-")), moment(n.Time, now), text(n.Virtual), text(n.Text))
		if n.After > 0 {
			fmt.Fprintf(&b, ` <small>after %s</small>`, words.Span(n.After.Duration()))
		}
		b.WriteString(`</li>`)
	}
	if len(notes) == 0 {
		b.WriteString(`<li>nothing yet</li>`)
	}
	b.WriteString(`</ol>`)
	return part{"notes", b.String()}
}
