package maintenance

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// The verbs of an Order.
const (
	Drain  = "drain"  // weight 0
	Weight = "weight" // another weight
	Out    = "until"  // out of service for a time
)

// An Order is what a file orders for the real servers that it is named after
// (maintenanceorders).
type Order struct {
	File    string
	Verb    string
	Weight  int
	Percent int       // of the file's weight, in place of Weight; 0 is none
	Since   time.Time // when the file was written
	Until   time.Time // zero is as long as the file is there
	Comment string
}

const (
	maxText    = 4096 // bytes of a file
	maxComment = 200  // bytes of a comment
	settleTime = time.Second
)

// A text is the content of a file.
type text struct {
	body    string
	written time.Time
	size    int64
	inode   uint64
	fault   string    // why the content is unknown or no order, "" is that it is known
	seen    time.Time // at first like this
	prior   *text     // what counts until this one is settled; nil is nothing
	settled bool
}

// readText reads the file of a name. before is what was known of it, nil is nothing. It
// follows no symbolic link and waits for no FIFO. A file that another program may still write,
// as its first line has no end, is settled when it has rested for settleTime.
func readText(dir, name string, before *text, now time.Time) *text {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return unreadable(err, before)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return unreadable(err, before)
	}
	t := &text{written: info.ModTime().UTC(), size: info.Size(), seen: now}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		t.inode = stat.Ino
	}
	same := before != nil && before.fault == "" && before.written.Equal(t.written) && before.size == t.size && before.inode == t.inode
	switch {
	case same && before.settled:
		return before
	case !info.Mode().IsRegular():
		return &text{fault: "it is not a regular file", settled: true}
	case t.size > maxText:
		return &text{fault: fmt.Sprintf("it has more than %d bytes", maxText), settled: true}
	}
	body, err := io.ReadAll(io.LimitReader(file, maxText))
	if err != nil {
		return unreadable(err, before)
	}
	t.body = string(body)
	if same && before.body == t.body {
		t.seen, t.prior = before.seen, before.prior
	} else if before != nil {
		t.prior = before.counts()
	}
	t.settled = strings.Contains(t.body, "\n") || now.Sub(t.seen) >= settleTime || now.Sub(t.written) >= settleTime
	return t
}

// unreadable is a file that cannot be read. What was known of it counts still.
func unreadable(err error, before *text) *text {
	switch {
	case errors.Is(err, syscall.ELOOP):
		return &text{fault: "it is a symbolic link, which is not followed", settled: true}
	case before != nil:
		return before
	}
	return &text{fault: "it cannot be read: " + err.Error(), settled: true}
}

// counts is what counts of a file: t, or while that is not settled what was there before; nil is
// nothing.
func (t *text) counts() *text {
	if t == nil || t.settled {
		return t
	}
	return t.prior
}

// A meaning is what a file means.
type meaning struct {
	order *Order // nil is none: the file takes its real servers out
	why   string // why it is no order, "" if it is one or is empty
	over  string // why it means nothing any more, "" if it does
}

// read returns what a file means at a moment.
func (t *text) read(name string, now time.Time) (m meaning) {
	if t.fault != "" {
		return meaning{why: t.fault}
	}
	if t.body == "" {
		return m
	}
	first, rest, _ := strings.Cut(t.body, "\n")
	o := &Order{File: name, Since: t.written, Comment: comment(rest)}
	words := strings.SplitN(first, " ", 2)
	switch {
	case first == Drain:
		o.Verb = Drain
	case words[0] == Weight && len(words) == 2 && weightText.MatchString(words[1]):
		if why := o.weigh(words[1]); why != "" {
			return meaning{why: why}
		}
	case words[0] == Out && len(words) == 2:
		return t.until(o, words[1], now)
	default:
		return meaning{why: "its first line is not exactly drain, weight N, weight N% or until TIME"}
	}
	return meaning{order: o}
}

var weightText = regexp.MustCompile(`^[0-9]{1,10}%?$`)

// weigh takes over a weight that is a number or a share of the file's, and returns why it is none.
func (o *Order) weigh(text string) (why string) {
	o.Verb = Weight
	digits, isShare := strings.CutSuffix(text, "%")
	n, _ := strconv.Atoi(digits)
	switch {
	case n == 0:
		o.Verb = Drain
	case isShare && n > 25600:
		return "the weight is above 25600%"
	case isShare:
		o.Percent = n
	case n > math.MaxInt32: // as in the file
		return fmt.Sprintf("the weight is above %d", math.MaxInt32)
	default:
		o.Weight = n
	}
	return ""
}

// until returns what until TIME means. A time of day is the next one from when the file was
// written, so that it is the same after a restart.
func (t *text) until(o *Order, value string, now time.Time) meaning {
	from := t.written
	if from.After(now) {
		from = now
	}
	until, ok := timeOf(value, from)
	switch {
	case !ok:
		return meaning{why: "its time is not RFC 3339, YYYY-MM-DD HH:MM or HH:MM"}
	case !until.After(from):
		return meaning{why: "its time had passed when it was written"}
	case !until.After(now):
		return meaning{over: "its time is over since " + until.Local().Format("2006-01-02 15:04") + ": the file can be removed"}
	}
	o.Verb, o.Until = Out, until.UTC()
	return meaning{order: o}
}

// timeOf reads a time. One of the day is the next one after from.
func timeOf(value string, from time.Time) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return t, true
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", value, time.Local); err == nil {
		return t, true
	}
	t, err := time.ParseInLocation("15:04", value, time.Local)
	if err != nil || len(value) != len("15:04") {
		return time.Time{}, false
	}
	from = from.Local()
	for day := range 2 {
		next := time.Date(from.Year(), from.Month(), from.Day()+day, t.Hour(), t.Minute(), 0, 0, time.Local)
		if next.After(from) {
			return next, true
		}
	}
	return time.Time{}, false
}

// comment is the rest of a file in one line, as far as it fits.
func comment(rest string) string {
	rest = strings.ToValidUTF8(strings.Join(strings.Fields(rest), " "), "?")
	rest = strings.Map(func(r rune) rune {
		if safetext.Misleads(r) {
			return -1
		}
		return r
	}, rest)
	for len(rest) > maxComment {
		_, size := utf8.DecodeLastRuneInString(rest)
		rest = rest[:len(rest)-size]
	}
	return strings.TrimSpace(rest)
}

// meanings are those of files. Without texts (maintenanceorders = no) a file takes out,
// whatever it contains. A file that is absent from the result means nothing yet.
func meanings(files []string, texts map[string]*text, now time.Time) map[string]meaning {
	m := make(map[string]meaning, len(files))
	for _, name := range files {
		if texts == nil {
			m[name] = meaning{}
			continue
		}
		t, known := texts[name]
		if !known {
			m[name] = meaning{why: "its content is not known"}
		} else if t = t.counts(); t != nil {
			m[name] = t.read(name, now)
		}
	}
	return m
}

// explainOrders notes the files whose content is no order, and those whose time is over.
func (s *State) explainOrders(files []string, means map[string]meaning, unmatched []string) {
	for _, name := range files {
		m := means[name]
		switch {
		case slices.Contains(unmatched, name) || strings.HasPrefix(name, "."):
		case m.over != "":
			s.Unmatched = append(s.Unmatched, File{Name: name, Why: m.over})
		case m.why != "":
			s.NoOrders = append(s.NoOrders, File{Name: name, Why: m.why})
		}
	}
}

// nextEnd is when the first of the orders ends, zero for never.
func nextEnd[K comparable](orders map[K]Order) (end time.Time) {
	for _, o := range orders {
		if !o.Until.IsZero() && (end.IsZero() || o.Until.Before(end)) {
			end = o.Until
		}
	}
	return end
}

// settled reports whether no file is still being written.
func settled(texts map[string]*text) bool {
	for _, t := range texts {
		if !t.settled {
			return false
		}
	}
	return true
}

// String is the order in the words of the file.
func (o Order) String() string {
	words := o.Verb
	switch {
	case o.Percent > 0:
		words += fmt.Sprintf(" %d%%", o.Percent)
	case o.Verb == Weight:
		words += " " + strconv.Itoa(o.Weight)
	case o.Verb == Out:
		words += " " + o.Until.Local().Format("2006-01-02 15:04")
	}
	return cmp.Or(words, "out") + " by file " + o.File
}
