package view

import (
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
	ASCII  bool // the terminal shows no other characters

	order  int // of orders
	filter string
	wrong  bool
	typing bool // keys go to the filter
	first  int  // line of the list at the top
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
		s.order = (s.order + 1) % len(words.Orders())
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
		fit(fmt.Sprintf("%s, %d of %s in, %s; %s, %d overdue; %s %s",
			plural(h.Virtuals, "virtual service"), h.In, plural(h.Reals, "real server"), plural(h.Overrides, "order"), plural(snap.Lag.Checks, "check"), snap.Lag.Overdue, snap.State, snap.Time.Local().Format(time.TimeOnly)), width),
	}
	for _, trouble := range h.Troubles[:min(len(h.Troubles), 3)] {
		lines = append(lines, s.paint(words.Notable, fit("! "+trouble, width)))
	}
	list := s.list(snap)
	l := layoutOf(list, width)
	lines = append(lines, fit(s.settings(), width), fit(l.head(), width))
	body := s.body(list, l, snap.Time, width)
	if height > 0 {
		room := max(1, height-len(lines))
		s.first = max(0, min(s.first, len(body)-room))
		body = body[s.first:min(len(body), s.first+room)]
	}
	return s.shown(append(lines, body...))
}

// Message is the lines of a screen that has only a text.
func (s *Screen) Message(text string, width int) []string {
	return s.shown(strings.Split(Fold(words.OneLine(text), width), "\n"))
}

// shown is lines as the terminal shows them.
func (s *Screen) shown(lines []string) []string {
	for i := range lines {
		if s.ASCII {
			lines[i] = ASCII(lines[i])
		}
	}
	return lines
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (s *Screen) settings() string {
	rest := "by " + words.Orders()[s.order].Name
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

// A layout is how the list is divided into columns.
type layout struct {
	real, owner int  // the widths of the names of the real server and of its virtual service
	stacked     bool // the virtual service is on a second line, with the words
}

// The columns of the list beside the names.
const (
	stateColumn = "%-12s "
	countsTail  = "%5s %5s %5s "
	stateWidth  = 13
	countsWidth = 18
	wordsWidth  = 8 // the least for the words about a real server
)

// layoutOf gives the columns of names the width of the longest one, where the screen has
// room for it. On a narrow screen the virtual service goes to a second line, and names lose
// their middle.
func layoutOf(list []words.Entry, width int) layout {
	l := layout{
		real:  widest(screenReal, list, func(e words.Entry) string { return e.Real.Name }),
		owner: widest(screenOwner, list, func(e words.Entry) string { return e.Virtual.Name }),
	}
	room := width - stateWidth - countsWidth
	if l.real+l.owner+2+wordsWidth <= room {
		return l
	}
	l.stacked = true
	l.real = max(3, min(l.real, room-1))
	return l
}

// head is the head of the list.
func (l layout) head() string {
	owner := ""
	if !l.stacked {
		owner = fmt.Sprintf("%-*s ", l.owner, "VIRTUAL SERVICE")
	}
	return fmt.Sprintf(stateColumn+"%-*s %s"+countsTail, "STATE", l.real, "REAL SERVER", owner, "W", "ACT", "TOOK") + "LAST CHECK"
}

// body is the list, a line for each real server, and a second one for what does
// not fit about those that are not well.
func (s *Screen) body(list []words.Entry, l layout, now time.Time, width int) []string {
	var lines []string
	for _, e := range list {
		level := words.LevelOf(e.Real)
		for _, line := range l.lines(e, level, now, width) {
			lines = append(lines, s.paint(level, line))
		}
	}
	return lines
}

// lines are the lines of one real server: the last ones have the words about it that do not
// fit into the first one, if it is not well.
func (l layout) lines(e words.Entry, level words.Level, now time.Time, width int) []string {
	r := e.Real
	weight := "-"
	if r.Present {
		weight = fmt.Sprint(r.Weight)
	}
	duration := ""
	if r.Last != nil {
		duration = words.Span(r.Last.Took.Duration())
	}
	owner := ""
	if !l.stacked {
		owner = fmt.Sprintf("%-*s ", l.owner, fitName(e.Virtual.Name, l.owner))
	}
	state := words.Sign(r.State) + " " + string(r.State)
	head := fmt.Sprintf(stateColumn+"%-*s %s"+countsTail, state, l.real, fitName(r.Name, l.real), owner, weight, words.Large(uint64(r.Active)), duration)
	rest := about(r, level, now)
	indent := strings.Repeat(" ", stateWidth)
	if l.stacked {
		lines := []string{fit(strings.TrimRight(head, " "), width)}
		head = indent + "of " + fitName(e.Virtual.Name, max(3, width-stateWidth-3)) + "  "
		return append(lines, spread(strings.TrimRight(head, " "), head, rest, level, width)...)
	}
	return spread(head, head, rest, level, width)
}

// spread puts words behind a head, or on a line of their own if they do not fit and the real
// server is not well. alone is the head of a line without them.
func spread(alone, head, rest string, level words.Level, width int) []string {
	switch {
	case rest == "":
		return []string{fit(alone, width)}
	case level == words.Fine || utf8.RuneCountInString(head+rest) <= width:
		return []string{fit(head+rest, width)}
	}
	return []string{fit(alone, width), fit(strings.Repeat(" ", stateWidth)+rest, width)}
}

// about is what the screen says of a real server in words.
func about(r *report.RealState, level words.Level, now time.Time) string {
	rest := strings.Join(append([]string{words.LastCheck(r)}, words.Remarks(r, now)...), "; ")
	if level != words.Fine && !r.Since.IsZero() && r.State != report.StateUnchecked && r.State != report.StateOff {
		rest = "for " + words.Span(now.Sub(r.Since)) + "; " + strings.TrimPrefix(rest, "; ")
	}
	return strings.TrimPrefix(rest, "; ")
}

// list is the real servers to show, in order.
func (s *Screen) list(snap *report.Snapshot) []words.Entry {
	var list []words.Entry
	filter := strings.ToLower(s.filter)
	for i := range snap.Virtuals {
		v := &snap.Virtuals[i]
		for j := range v.Reals {
			r := &v.Reals[j]
			if s.wrong && words.LevelOf(r) == words.Fine || filter != "" && !strings.Contains(strings.ToLower(words.Searched(v, r)), filter) {
				continue
			}
			list = append(list, words.Entry{Virtual: v, Real: r})
		}
	}
	slices.SortStableFunc(list, words.Orders()[s.order].Compare)
	return list
}

var colours = [...]string{words.Fine: "", words.Notable: "\x1b[33m", words.Bad: "\x1b[31m"}

func (s *Screen) paint(l words.Level, text string) string {
	if !s.Colour || colours[l] == "" {
		return text
	}
	return colours[l] + text + "\x1b[0m"
}
