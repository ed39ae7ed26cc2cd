package status

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// The rows of one page of each list: a reader's costs do not grow with the configuration.
const (
	realsShown    = 100
	virtualsShown = 100
)

// A pageView is which part of the configuration a reader of the page wants, and in which order:
// the query of the page and of its stream. The zero pageView is the page without a query.
type pageView struct {
	query         string // a filter; case does not matter
	wrong         bool   // only troubles
	virtual, real string // only those that are called so, "" is all
	sort, vsort   string // the orders of real servers and of virtual services, "" is by trouble
	page, vpage   int    // of the lists, from 0
}

// viewParameters are the names of a view's parameters.
var viewParameters = []string{"q", "wrong", "virtual", "real", "sort", "vsort", "page", "vpage"}

// viewOf reads the view of a request, and the values of other parameters. It is false if the
// request has been answered. A form sends its empty fields, too: they count as absent.
func viewOf(w http.ResponseWriter, r *http.Request, others ...string) (v pageView, values url.Values, ok bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadRequest, errors.New("the query cannot be read"))
		return v, nil, false
	}
	for name, list := range values {
		if len(list) == 1 && list[0] == "" {
			delete(values, name)
			continue
		}
		if err := checkParameter(name, list, slices.Concat(viewParameters, others)); err != nil {
			fail(w, http.StatusBadRequest, err)
			return v, nil, false
		}
	}
	v, err = parseView(values)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
	}
	return v, values, err == nil
}

func parseView(values url.Values) (pageView, error) {
	v := pageView{
		query: strings.TrimSpace(values.Get("q")), wrong: values.Has("wrong"),
		virtual: values.Get("virtual"), real: values.Get("real"), sort: values.Get("sort"), vsort: values.Get("vsort"),
	}
	if _, ok := words.OrderCalled(v.sort); !ok {
		return v, fmt.Errorf("sort %.40q is unknown", v.sort)
	}
	if _, ok := virtualOrders[strings.TrimPrefix(v.vsort, "-")]; !ok {
		return v, fmt.Errorf("vsort %.40q is unknown", v.vsort)
	}
	for name, page := range map[string]*int{"page": &v.page, "vpage": &v.vpage} {
		if !values.Has(name) {
			continue
		}
		n, err := strconv.Atoi(values.Get(name))
		if err != nil || n < 1 || n > 1_000_000 {
			return v, fmt.Errorf("%s must be a whole number above 0", name)
		}
		*page = n - 1
	}
	return v, nil
}

// link is the address of a view, escaped for an attribute.
func (v pageView) link() string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("q", v.query)
	set("virtual", v.virtual)
	set("real", v.real)
	set("sort", v.sort)
	set("vsort", v.vsort)
	if v.wrong {
		set("wrong", "1")
	}
	if v.page > 0 {
		set("page", strconv.Itoa(v.page+1))
	}
	if v.vpage > 0 {
		set("vpage", strconv.Itoa(v.vpage+1))
	}
	if len(values) == 0 {
		return "/"
	}
	return html.EscapeString("/?" + values.Encode())
}

// sortedBy is the view in an order, and in its reverse if it is in that order already.
func (v pageView) sortedBy(name string) pageView {
	v.page = 0
	if v.sort == name {
		name = "-" + name
	}
	v.sort = name
	return v
}

// An entryPlace is where a real server is in a snapshot.
type entryPlace struct{ virtual, real int }

// A selection is what a view has of a snapshot.
type selection struct {
	virtuals []int        // of the page that is shown
	reals    []entryPlace // of the page that is shown
	// of all pages
	allVirtuals, allReals int
}

// selectOf chooses and sorts. A page behind the last one is the last one; v has its number
// afterwards.
func (v *pageView) selectOf(s *report.Snapshot, sums []words.VirtualHealth) selection {
	var virtuals []int
	var reals []entryPlace
	query := strings.ToLower(v.query)
	for i := range s.Virtuals {
		state := &s.Virtuals[i]
		if v.virtual != "" && !report.VirtualCalled(state.ID, v.virtual, state.Written, state.ServiceName) {
			continue
		}
		before := len(reals)
		for j := range state.Reals {
			if v.wants(state, &state.Reals[j], query) {
				reals = append(reals, entryPlace{i, j})
			}
		}
		if len(reals) > before || v.query == "" && v.real == "" && (!v.wrong || sums[i].Level != words.Fine) {
			virtuals = append(virtuals, i)
		}
	}
	sel := selection{allVirtuals: len(virtuals), allReals: len(reals)}
	order, _ := words.OrderCalled(v.sort)
	slices.SortStableFunc(reals, func(a, b entryPlace) int { return order.Compare(a.in(s), b.in(s)) })
	compare := virtualOrders[strings.TrimPrefix(v.vsort, "-")]
	slices.SortStableFunc(virtuals, func(a, b int) int {
		if strings.HasPrefix(v.vsort, "-") {
			a, b = b, a
		}
		return compare(&virtualEntry{&s.Virtuals[a], &sums[a]}, &virtualEntry{&s.Virtuals[b], &sums[b]})
	})
	sel.reals, sel.virtuals = pageOf(reals, &v.page, realsShown), pageOf(virtuals, &v.vpage, virtualsShown)
	return sel
}

// wants reports whether a view has a real server. The query is in lower case.
func (v *pageView) wants(of *report.VirtualState, r *report.RealState, query string) bool {
	return (!v.wrong || words.LevelOf(r) != words.Fine) && (v.real == "" || realCalled(r, v.real)) &&
		(query == "" || strings.Contains(strings.ToLower(words.Searched(of, r)), query))
}

func (p entryPlace) in(s *report.Snapshot) words.Entry {
	v := &s.Virtuals[p.virtual]
	return words.Entry{Virtual: v, Real: &v.Reals[p.real]}
}

// pageOf is one page of a list.
func pageOf[T any](list []T, page *int, size int) []T {
	*page = max(0, min(*page, (len(list)-1)/size))
	list = list[*page*size:]
	return list[:min(len(list), size)]
}

// virtualOrders are the ways to sort virtual services.
var virtualOrders = map[string]func(a, b *virtualEntry) int{
	"": func(a, b *virtualEntry) int {
		return cmp.Or(cmp.Compare(b.health.Level, a.health.Level), cmp.Compare(a.in(), b.in()))
	},
	"name":        func(a, b *virtualEntry) int { return words.CompareNames(a.state.Listed, b.state.Listed) },
	"in":          func(a, b *virtualEntry) int { return cmp.Compare(a.in(), b.in()) },
	"connections": func(a, b *virtualEntry) int { return cmp.Compare(b.health.Active, a.health.Active) },
	"rate": func(a, b *virtualEntry) int {
		return cmp.Compare(b.state.Stats.ConnectionRate, a.state.Stats.ConnectionRate)
	},
}

// A virtualEntry is a virtual service to be sorted.
type virtualEntry struct {
	state  *report.VirtualState
	health *words.VirtualHealth
}

// in is the part of its real servers that are in, 2 without any.
func (e *virtualEntry) in() float64 {
	if e.health.Reals == 0 {
		return 2
	}
	return float64(e.state.In) / float64(e.health.Reals)
}
