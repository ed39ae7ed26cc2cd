package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// A change is one of the table: a real server is in it or not.
type change struct {
	at   int64 // of the monotonic clock
	real string
	up   bool
}

// parseLogged reads the line by which ldirectord logs a change in a
// table in memory: "… ipvsadm -a -t VIRTUAL -r REAL -m -w WEIGHT".
func parseLogged(line string) (c change, ok bool) {
	_, words, ok := strings.Cut(line, " ipvsadm -")
	if !ok {
		return change{}, false
	}
	_, rest, ok := strings.Cut(words, " -r ")
	c = change{at: monotonic(), up: words[0] != 'd' && !strings.HasSuffix(rest, " -w 0")}
	c.real, _, _ = strings.Cut(rest, " ")
	return c, ok
}

// A table is who is up, as the program's changes say.
type table struct {
	path string // where a stand-in notes the changes
	read int64

	mu  sync.Mutex
	new []change
	up  map[string]bool
}

func (t *table) add(c change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.new = append(t.new, c)
	if c.up {
		t.up[c.real] = true
	} else {
		delete(t.up, c.real)
	}
}

// fetch returns the changes since its last call.
func (t *table) fetch() []change {
	if t.path != "" {
		t.readNotes()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	changes := t.new
	t.new = nil
	return changes
}

// readNotes reads whole lines of what the stand-ins noted.
func (t *table) readNotes() {
	f, err := os.Open(t.path)
	if err != nil {
		return // nothing yet
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, t.read, 1<<40))
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	t.read += int64(len(text))
	for line := range strings.Lines(string(text)) {
		var c change
		var weight int
		if _, scanErr := fmt.Sscan(line, &c.at, &c.real, &weight); errors.Join(err, scanErr) == nil {
			c.up = weight > 0
			t.add(c)
		}
	}
}

// assume takes it that all of these are up.
func (t *table) assume(reals []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, real := range reals {
		t.up[real] = true
	}
}

// size is how many are up.
func (t *table) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.up)
}

// A tail is the last lines of a program's output.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-20):]
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
