package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

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
	if beside := words.Beside(s); len(beside) > 0 {
		item("Beside the table", "%s", strings.Join(beside, "; "))
	}
	if notify := words.Notify(s); len(notify) > 0 {
		item("Mails and hooks", "%s", strings.Join(notify, "; "))
	}
	item("Daemon", "%s since %s", s.State, words.Clock(s.Started, s.Time))
	item("Configuration", "%s, loaded %s", s.Config, words.Clock(s.Loaded, s.Time))
	b.WriteString(`</dl>`)
	if len(h.Troubles) > 0 {
		b.WriteString(`<ul class="troubles" tabindex="0">`)
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

// onlyPart says that a view is of one virtual service or real server, with the way back.
func onlyPart(v pageView) part {
	var b strings.Builder
	b.WriteString(`<p id="only" role="note">`)
	if v.virtual != "" || v.real != "" {
		b.WriteString(`Only`)
		if v.real != "" {
			fmt.Fprintf(&b, ` real server <b class="key">%s</b>`, text(v.real))
		}
		if v.virtual != "" && v.real != "" {
			b.WriteString(` of`)
		}
		if v.virtual != "" {
			fmt.Fprintf(&b, ` virtual service <b class="key">%s</b>`, text(v.virtual))
		}
		all := v
		all.virtual, all.real, all.page, all.vpage = "", "", 0, 0
		fmt.Fprintf(&b, `. <a href="%s">Show all</a>`, all.link())
	}
	b.WriteString(`</p>`)
	return part{"only", b.String()}
}

// A column is a column of a list, and the order by it; "" is none.
type column struct{ title, order string }

var realColumns = []column{
	{"State", "state"},
	{"Real server", "name"},
	{"Weight", "weight"},
	{"Last check", ""},
	{"Latency", "latency"},
	{"Connections", "connections"},
	{"New/s", "rate"},
	{"Last 24 hours", "availability"},
}

// pagesPart says which entries of a list are shown, with the ways to the others.
func pagesPart(id string, shown, all, page, size int, v pageView, at func(v pageView, page int) pageView) part {
	var b strings.Builder
	fmt.Fprintf(&b, `<span id="%s" class="pages">`, id)
	switch {
	case all == 0:
		b.WriteString(`none`)
	case all <= size:
		fmt.Fprintf(&b, `%d`, all)
	default:
		fmt.Fprintf(&b, `%d to %d of %d`, page*size+1, page*size+shown, all)
	}
	if page > 0 {
		fmt.Fprintf(&b, ` <a href="%s">previous</a>`, at(v, page-1).link())
	}
	if (page+1)*size < all {
		fmt.Fprintf(&b, ` <a href="%s">next</a>`, at(v, page+1).link())
	}
	b.WriteString(`</span>`)
	return part{id, b.String()}
}

// sortLink is a link to a view in another order, marked if it is in that order.
func sortLink(title, order, present string, to pageView) string {
	mark, current := "", ""
	switch present {
	case order:
		mark, current = " ▾", ` aria-current="true"`
	case "-" + order:
		mark, current = " ▴", ` aria-current="true"`
	}
	return fmt.Sprintf(`<a href="%s"%s>%s%s</a>`, to.link(), current, title, mark)
}

func realsHead(v pageView) string {
	var b strings.Builder
	for _, c := range realColumns {
		title := c.title
		if c.order != "" {
			title = sortLink(c.title, c.order, v.sort, v.sortedBy(c.order))
		}
		fmt.Fprintf(&b, `<th scope="col">%s</th>`, title)
	}
	return b.String()
}

// otherOrders are the links to the orders that belong to no column.
func otherOrders(v pageView) string {
	trouble := v
	trouble.sort, trouble.page = "", 0
	return `<span class="orders">` + sortLink("trouble first", "", v.sort, trouble) + " " + sortLink("as in the file", "file", v.sort, v.sortedBy("file")) + `</span>`
}

func virtualsHead(v pageView) string {
	var b strings.Builder
	for _, c := range []column{{"Virtual service", "name"}, {"In", "in"}, {"Connections", "connections"}} {
		to := v
		to.vpage, to.vsort = 0, c.order
		if v.vsort == c.order {
			to.vsort = "-" + c.order
		}
		fmt.Fprintf(&b, `<th scope="col">%s</th>`, sortLink(c.title, c.order, v.vsort, to))
	}
	return b.String()
}
