package words

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/report"
)

// An Entry is a real server with its virtual service.
type Entry struct {
	Virtual *report.VirtualState
	Real    *report.RealState
}

// An Order is a way to sort real servers. Equal ones stay in the order of the file.
type Order struct {
	Name    string
	Compare func(a, b Entry) int
}

// orders are all of them, first the one that is meant without a choice.
var orders = []Order{
	{"trouble", func(a, b Entry) int { return cmp.Compare(LevelOf(b.Real), LevelOf(a.Real)) }},
	{"file", func(Entry, Entry) int { return 0 }},
	{"connections", func(a, b Entry) int { return cmp.Compare(b.Real.Active, a.Real.Active) }},
	{"rate", func(a, b Entry) int { return cmp.Compare(b.Real.Stats.ConnectionRate, a.Real.Stats.ConnectionRate) }},
	{"latency", func(a, b Entry) int { return cmp.Compare(took(b.Real), took(a.Real)) }},
	{"name", func(a, b Entry) int { return CompareNames(a.Real.Name, b.Real.Name) }},
	{"state", func(a, b Entry) int { return strings.Compare(string(a.Real.State), string(b.Real.State)) }},
	{"weight", func(a, b Entry) int { return cmp.Compare(b.Real.Weight, a.Real.Weight) }},
	{"availability", func(a, b Entry) int { return cmp.Compare(upShare(a.Real.Day), upShare(b.Real.Day)) }},
}

// Orders are the ways to sort, first that by trouble: the worst first.
func Orders() []Order { return slices.Clone(orders) }

// OrderCalled returns the order of a name. A name with "-" before it is the reverse order,
// "" that by trouble. It is false for an unknown name.
func OrderCalled(name string) (Order, bool) {
	plain, reverse := strings.CutPrefix(cmp.Or(name, orders[0].Name), "-")
	i := slices.IndexFunc(orders, func(o Order) bool { return o.Name == plain })
	if i < 0 {
		return Order{}, false
	}
	o := orders[i]
	if reverse {
		return Order{name, func(a, b Entry) int { return o.Compare(b, a) }}, true
	}
	return o, true
}

func took(r *report.RealState) report.Seconds {
	if r.Last == nil {
		return 0
	}
	return r.Last.Took
}

// upShare is the part of the counted time that a real server was up, 2 if none is known.
func upShare(d report.DayAvailability) float64 {
	if d.Up+d.Down <= 0 {
		return 2
	}
	return float64(d.Up) / float64(d.Up+d.Down)
}

// CompareNames compares names and addresses, with the decimal numbers in them as numbers:
// 10.0.0.9 is before 10.0.0.10.
func CompareNames(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is the number of digits at the beginning of a text.
func digits(text string) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}
