package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// line is an event in the file of the history.
type line struct {
	Seq      uint64        `json:"seq"`
	Time     time.Time     `json:"time"`
	Kind     string        `json:"kind"`
	Virtual  string        `json:"virtual,omitempty"`
	Real     string        `json:"real,omitempty"`
	Mapped   string        `json:"mapped,omitempty"`
	Weight   int           `json:"weight,omitempty"`
	Phase    string        `json:"phase,omitempty"`
	Cause    *Cause        `json:"cause,omitempty"`
	Fallback string        `json:"fallback,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Down     time.Duration `json:"down_nanoseconds,omitempty"`
}

// longestReason and longestLine, in bytes, bound the size of the file whatever a server answers.
// JSON has up to six bytes for one of the two texts of a line.
const (
	longestReason = 1000
	longestLine   = 16 << 10
)

// lineKinds are the kinds by the name that a line has for them.
var lineKinds = func() map[string]Kind {
	kinds := map[string]Kind{}
	for k := range FirstUp {
		kinds[k.lineName()] = k
	}
	return kinds
}()

// lineName is the name of a kind in a line. Other than its words, it is unique.
func (k Kind) lineName() string {
	if k == RealReaddQuiesced {
		return "readd quiesced"
	}
	return k.String()
}

// Line returns the event as a line of the history's file, with its line break.
func (e *Event) Line() []byte {
	l := line{
		Seq: e.Seq, Time: e.Time.Round(0), Kind: e.Kind.lineName(), Virtual: e.ID, Real: e.R, Mapped: e.Mapped, Weight: e.Weight,
		Phase: e.Phase, Fallback: e.Fallback, Reason: shortened(e.Reason), Down: e.Down,
	}
	if e.Cause != nil {
		c := *e.Cause
		c.Detail = shortened(c.Detail)
		l.Cause = &c
	}
	text, err := json.Marshal(l)
	if err != nil { // a year beyond 9999
		return nil
	}
	return append(text, '\n')
}

// shortened is the beginning of a long text.
func shortened(text string) string {
	if len(text) <= longestReason {
		return text
	}
	end := longestReason
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// ParseLine returns the event of a line. The error means that this program has not written it.
func ParseLine(text []byte) (Event, error) {
	var l line
	if len(text) > longestLine {
		return Event{}, errors.New("the line is too long")
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return Event{}, err
	}
	kind, known := lineKinds[l.Kind]
	named := l.Virtual + l.Real + l.Mapped + l.Phase + l.Fallback
	if l.Cause != nil {
		named += string(l.Cause.Kind) + l.Cause.Real + l.Cause.By
	}
	switch {
	case !known:
		return Event{}, fmt.Errorf("kind %.40q is unknown", l.Kind)
	case l.Seq == 0 || l.Seq > mostSeq:
		return Event{}, errors.New("it has no number")
	case l.Time.Year() < 1970 || l.Time.Year() > 9999:
		return Event{}, errors.New("it has no time")
	case strings.ContainsFunc(named, unicode.IsControl) || !utf8.ValidString(named):
		return Event{}, errors.New("a name has control characters")
	}
	return Event{
		Seq: l.Seq, Time: l.Time, Kind: kind, V: ShortID(l.Virtual), ID: l.Virtual, R: l.Real, Mapped: l.Mapped, Weight: l.Weight,
		Phase: l.Phase, Cause: l.Cause, Fallback: l.Fallback, Reason: l.Reason, Down: l.Down,
	}, nil
}

// mostSeq is the greatest number in a file. Those of JavaScript are exact up to twice as many.
const mostSeq = 1 << 52

// ParseLines returns the events of lines, the oldest first. bad is the number of lines that are
// omitted because this program has not written them in this order, and first why the first of
// these is.
func ParseLines(lines [][]byte) (events []Event, bad int, first error) {
	events = make([]Event, 0, len(lines))
	last, end := uint64(0), LastOf(lines).Seq
	for _, text := range lines {
		e, err := ParseLine(text)
		if err == nil && (e.Seq <= last || e.Seq > end) { // one wrong number costs no others
			err = errors.New("a number does not follow the one before")
		}
		if err == nil {
			events, last = append(events, e), e.Seq
			continue
		}
		if bad++; first == nil {
			first = err
		}
	}
	return events, bad, first
}

// LastOf returns the event with the greatest number of the last hundred lines, the zero Event if
// they have none. ParseLines returns none with a greater one.
func LastOf(lines [][]byte) (last Event) {
	for _, text := range lines[max(0, len(lines)-100):] {
		if e, err := ParseLine(text); err == nil && e.Seq > last.Seq {
			last = e
		}
	}
	return last
}

// Newest returns the newest of events, which are sorted by their numbers, and their lines, which
// have at most limit bytes together. Of these, half is for verdicts and a quarter for each of
// the other classes, so that here, too, many events of one push out none of another.
func Newest(events []*Event, limit int) (newest []*Event, text []byte) {
	left := [classes]int{verdicts: limit / 2, changes: limit / 4, starts: limit / 4}
	var lines [][]byte
	for _, e := range slices.Backward(events) {
		c, l := e.class(), e.Line()
		if left[c] -= len(l); left[c] < 0 {
			left[c] = -1 << 32 // nor an older one
			continue
		}
		newest, lines = append(newest, e), append(lines, l)
	}
	slices.Reverse(newest)
	slices.Reverse(lines)
	return newest, bytes.Join(lines, nil)
}
