package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// A Screen is what "top" shows of snapshots, as an operator wants it by keys.
type Screen struct {
	Colour bool // write the state in colours

	order  int // of orders
	filter string
	wrong  bool
	typing bool // keys go to the filter
	first  int  // line of the list at the top
}

// A listed is a real server as it is shown in the list.
type listed struct {
	virtual *report.VirtualState
	real    *report.RealState
}

// orders are the ways to sort, by the key s one after another.
var orders = []struct {
	name    string
	compare func(a, b listed) int
}{
	{"trouble", func(a, b listed) int { return cmp.Compare(words.LevelOf(b.real), words.LevelOf(a.real)) }},
	{"file", func(listed, listed) int { return 0 }},
	{"connections", func(a, b listed) int { return cmp.Compare(b.real.Active, a.real.Active) }},
	{"rate", func(a, b listed) int { return cmp.Compare(b.real.Stats.ConnectionRate, a.real.Stats.ConnectionRate) }},
	{"latency", func(a, b listed) int { return cmp.Compare(took(b.real), took(a.real)) }},
	{"address", func(a, b listed) int { return strings.Compare(a.real.Name, b.real.Name) }},
}

func took(r *report.RealState) report.Seconds {
	if r.Last == nil {
		return 0
	}
	return r.Last.Took
}

// Keys are the keys of Key, in one line.
const Keys = "q quit  s sort  w only wrong  / filter  Esc no filter  arrows space b g scroll"

// Key takes what one key has sent and reports whether it means to quit.
func (s *Screen) Key(key string) (quit bool) {
	if s.typing {
		s.typed(key)
		return key == "\x03"
	}
	switch key {
	case "q", "Q", "\x03", "\x04":
		return true
	case "s":
		s.order = (s.order + 1) % len(orders)
	case "w":
		s.wrong, s.first = !s.wrong, 0
	case "/":
		s.typing, s.filter = true, ""
	case "\x1b":
		s.filter, s.first = "", 0
	case "j", "\x1b[B":
		s.first++
	case "k", "\x1b[A":
		s.first--
	case " ", "\x1b[6~":
		s.first += 20
	case "b", "\x1b[5~":
		s.first -= 20
	case "g", "\x1b[H":
		s.first = 0
	}
	return false
}

// typed adds a key to the filter.
func (s *Screen) typed(key string) {
	s.first = 0
	switch {
	case key == "\r" || key == "\n":
		s.typing = false
	case key == "\x1b":
		s.typing, s.filter = false, ""
	case key == "\x7f" || key == "\b":
		_, size := utf8.DecodeLastRuneInString(s.filter)
		s.filter = s.filter[:len(s.filter)-size]
	case !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' }):
		s.filter += key
	}
}

// Draw is the lines of a screen of this size; height 0 is as high as it takes.
func (s *Screen) Draw(snap *report.Snapshot, width, height int) []string {
	h := words.Judge(snap)
	lines := []string{
		s.paint(h.Level, fit(words.Mark(snap.DryRun)+h.Words, width)),
		fit(fmt.Sprintf("%d virtual services, %d of %d real servers in, %d orders; %d checks, %d overdue; %s %s",
			h.Virtuals, h.In, h.Reals, h.Overrides, snap.Lag.Checks, snap.Lag.Overdue, snap.State, snap.Time.Local().Format(time.TimeOnly)), width),
	}
	for _, trouble := range h.Troubles[:min(len(h.Troubles), 3)] {
		lines = append(lines, s.paint(words.Notable, fit("! "+trouble, width)))
	}
	lines = append(lines, fit(s.settings(), width), fit(listHead, width))
	body := s.body(snap, width)
	if height > 0 {
		room := max(1, height-len(lines))
		s.first = max(0, min(s.first, len(body)-room))
		body = body[s.first:min(len(body), s.first+room)]
	}
	return append(lines, body...)
}

func (s *Screen) settings() string {
	rest := "by " + orders[s.order].name
	if s.wrong {
		rest += ", only what is wrong"
	}
	if s.typing {
		return rest + ", filter: " + s.filter + "_"
	}
	if s.filter != "" {
		rest += ", filter: " + s.filter
	}
	return rest + "   [" + Keys + "]"
}

const (
	listFormat = "%-12s %-21s %-18s %5s %5s %5s "
	// The words about those that are not well are on a second line if need be.
	listHead = "STATE        REAL SERVER           VIRTUAL SERVICE       W   ACT  TOOK LAST CHECK"
)

// body is the list, a line for each real server, and a second one for what does
// not fit about those that are not well.
func (s *Screen) body(snap *report.Snapshot, width int) []string {
	var lines []string
	for _, l := range s.list(snap) {
		r := l.real
		weight := "-"
		if r.Present {
			weight = fmt.Sprint(r.Weight)
		}
		duration := ""
		if r.Last != nil {
			duration = words.Span(r.Last.Took.Duration())
		}
		state := words.Sign(r.State) + " " + string(r.State)
		level := words.LevelOf(r)
		head := fmt.Sprintf(listFormat, state, fit(r.Name, 21), fit(l.virtual.Name, 18), weight, words.Large(uint64(r.Active)), duration)
		rest := strings.Join(append([]string{words.LastCheck(r)}, words.Remarks(r, snap.Time)...), "; ")
		if level != words.Fine && !r.Since.IsZero() && r.State != report.StateUnchecked && r.State != report.StateOff {
			rest = "for " + words.Span(snap.Time.Sub(r.Since)) + "; " + strings.TrimPrefix(rest, "; ")
		}
		rest = strings.TrimPrefix(rest, "; ")
		if level == words.Fine || utf8.RuneCountInString(head+rest) <= width {
			lines = append(lines, s.paint(level, fit(head+rest, width)))
			continue
		}
		lines = append(lines, s.paint(level, fit(head, width)), s.paint(level, fit("             "+rest, width)))
	}
	return lines
}

// list is the real servers to show, in order.
func (s *Screen) list(snap *report.Snapshot) []listed {
	var list []listed
	filter := strings.ToLower(s.filter)
	for i := range snap.Virtuals {
		v := &snap.Virtuals[i]
		for j := range v.Reals {
			r := &v.Reals[j]
			if s.wrong && words.LevelOf(r) == words.Fine || filter != "" && !strings.Contains(strings.ToLower(words.Searched(v, r)), filter) {
				continue
			}
			list = append(list, listed{v, r})
		}
	}
	slices.SortStableFunc(list, orders[s.order].compare)
	return list
}

// fit is text in at most width columns.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	if width < 2 {
		return ""
	}
	return string([]rune(text)[:width-1]) + "…"
}

var colours = [...]string{words.Fine: "", words.Notable: "\x1b[33m", words.Bad: "\x1b[31m"}

func (s *Screen) paint(l words.Level, text string) string {
	if !s.Colour || colours[l] == "" {
		return text
	}
	return colours[l] + text + "\x1b[0m"
}
