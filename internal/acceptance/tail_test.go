package acceptance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A tail follows a log.
type tail struct {
	t    testing.TB
	path string
	seen *int // lines that were looked at
}

func newTail(t testing.TB, path string) tail { return tail{t, path, new(int)} }

// in is the tail for a subtest.
func (l tail) in(t *testing.T) tail { return tail{t, l.path, l.seen} }

// stamp is how the lines of both logs begin: with what differs from run to run.
var stamp = regexp.MustCompile(`^(\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\|ldirectord\.cf\|\d+\]|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,) `)

// downtime is what a line tells of a time that passed.
var downtime = regexp.MustCompile(`down [\d.]+(m?s|m[\d.]+s)`)

// cutOff is what a check says that is under way when its real server dies, and
// not what one says that begins later.
var cutOff = regexp.MustCompile(`connection reset|closed the connection[^,]*`)

// lines are all complete lines of the log, without their stamps, with DOWN for
// downtimes and with the answer that later checks get.
func (l tail) lines() []string {
	l.t.Helper()
	text, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line, whole := strings.CutSuffix(line, "\n")
		if !whole {
			break
		}
		bare := stamp.ReplaceAllLiteralString(line, "")
		if bare == line {
			l.t.Errorf("%s has a line of another form: %q", l.path, line)
		}
		bare = downtime.ReplaceAllLiteralString(bare, "down DOWN")
		bare = cutOff.ReplaceAllLiteralString(bare, "connection refused")
		lines = append(lines, strings.Replace(bare, " while connecting", "", 1))
	}
	return lines
}

// await waits for lines that follow one another, others between them, after
// those awaited before.
func (l tail) await(want ...string) {
	l.t.Helper()
	for _, w := range want {
		l.until(fmt.Sprintf("line %q", w), func(news []string) int {
			return slices.Index(news, w) + 1
		})
	}
}

// awaitAll is await for lines in any order.
func (l tail) awaitAll(want ...string) {
	l.t.Helper()
	l.until(fmt.Sprintf("lines %q", want), func(news []string) int {
		last := 0
		for _, w := range want {
			i := slices.Index(news, w)
			if i < 0 {
				return 0
			}
			last = max(last, i+1)
		}
		return last
	})
}

// next waits for as many lines as are wanted and sees that it is those, in any
// order, and no others.
func (l tail) next(want ...string) {
	l.t.Helper()
	var got []string
	l.until(fmt.Sprintf("lines like %q", want), func(news []string) int {
		if len(news) < len(want) {
			return 0
		}
		got = slices.Sorted(slices.Values(news[:len(want)]))
		return len(want)
	})
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Errorf("%s (-want +got):\n%s", l.path, diff)
	}
}

// until waits until found says that of the new lines so many, not 0, are what
// is waited for, and goes behind them.
func (l tail) until(what string, found func(news []string) int) {
	l.t.Helper()
	var lines []string
	come := within(limit, func() bool {
		lines = l.lines()
		n := found(lines[*l.seen:])
		*l.seen += n
		return n > 0
	})
	if !come {
		l.t.Fatalf("%s: no %s within %v after line %d of:\n%s", l.path, what, limit, *l.seen, strings.Join(lines, "\n"))
	}
}

// ends sees that there are no more lines.
func (l tail) ends() {
	l.t.Helper()
	if lines := l.rest(); len(lines) > 0 {
		l.t.Errorf("%s goes on with:\n%s", l.path, strings.Join(lines, "\n"))
	}
}

// rest are the lines after those that were awaited.
func (l tail) rest() []string {
	l.t.Helper()
	lines := l.lines()[*l.seen:]
	*l.seen += len(lines)
	return lines
}
