package main

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// width is how wide the demo is, clock how much of it the time takes.
const (
	width = 80
	clock = len("15:04:05 ")
)

// A screen shows the program's lines, one time for all of their forms, and
// what the user did between them.
type screen struct {
	colour bool

	mu sync.Mutex
	w  io.Writer
}

// newScreen shows on a file, with colours on a terminal.
func newScreen(f *os.File) *screen {
	plain := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return &screen{w: f, colour: !plain && term.IsTerminal(int(f.Fd()))}
}

// page shows a text as it is.
func (s *screen) page(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	io.WriteString(s.w, text) //nolint:errcheck // there is nobody else to tell
}

// note shows what the user did.
func (s *screen) note(text string) {
	if text != "" {
		s.page(s.paint(dim, layout(time.Now().Format(time.TimeOnly), "* "+text)) + "\n")
	}
}

// follow shows what the program prints until it ends.
func (s *screen) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		at, text := split(lines.Text())
		s.page(s.paint(style(text), layout(at, text)) + "\n")
	}
	io.Copy(io.Discard, r) //nolint:errcheck // a line too long to scan
}

// The forms that the program's lines have.
var (
	logLine     = regexp.MustCompile(`^\[\w+ \w+ +\d+ (\d\d:\d\d:\d\d) [^\]]*\] (.*)$`)
	monitorLine = regexp.MustCompile(`^[\d-]+ (\d\d:\d\d:\d\d), (.*)$`)
)

// split takes the time of day off a line; it is "" for one that has none.
func split(line string) (at, text string) {
	for _, form := range []*regexp.Regexp{logLine, monitorLine} {
		if m := form.FindStringSubmatch(line); m != nil {
			return m[1], m[2]
		}
	}
	return "", line
}

// layout puts a text beside its time, broken at blanks where it is too long.
func layout(at, text string) string {
	var b strings.Builder
	b.WriteString(at + strings.Repeat(" ", clock-len(at)))
	column := clock
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteString("\n" + strings.Repeat(" ", clock+2))
			column = clock + 2
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// The styles are those of ECMA-48.
const (
	plain  = ""
	dim    = "2"
	red    = "1;31"
	green  = "1;32"
	yellow = "33"
	cyan   = "36"
)

// style is the style of a line, by its text.
func style(text string) string {
	switch {
	case strings.HasPrefix(text, "ipvsadm "):
		return cyan
	case strings.Contains(text, " is gone."), strings.Contains(text, " are gone."):
		return red
	case strings.Contains(text, " is back."), strings.Contains(text, " are back."):
		return green
	case strings.Contains(text, "fallback"):
		return yellow
	}
	return plain
}

func (s *screen) paint(style, text string) string {
	if !s.colour || style == plain {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}
