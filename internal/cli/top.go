package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/daemon"
)

// topInterval is the time between two snapshots of top.
const topInterval = time.Second

// The sequences that switch a terminal to another screen without a cursor, and back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// top shows the daemon's real servers, again every second. Without a terminal, it shows
// them once.
func (s *session) top() error {
	r := s.reader()
	defer r.Close()
	out, _ := unwrapped(s.Stdout).(*os.File) // nil: standard output is no file
	if out == nil || !isTerminal(out) || !term.IsTerminal(int(os.Stdin.Fd())) || os.Getenv("TERM") == "dumb" {
		lines, err := r.look(&view.Screen{}, cmp.Or(columnsOf(s.Stdout), 120), 0)
		fmt.Fprint(s.Stdout, strings.Join(append(lines, ""), "\n"))
		return err
	}
	// An error of the first request is shown on the usual screen.
	if _, err := r.look(&view.Screen{}, 80, 0); err != nil {
		return err
	}
	before, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		return fmt.Errorf("using the terminal: %w", err)
	}
	fmt.Fprint(out, enterScreen)
	defer func() {
		fmt.Fprint(out, leaveScreen)
		_ = term.Restore(int(os.Stdin.Fd()), before) // the terminal may be gone
	}()
	return r.keepLooking(out)
}

// look draws a snapshot of the daemon.
func (q *query) look(screen *view.Screen, width, height int) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	snap, err := q.Snapshot(ctx, "", "")
	if err != nil {
		return nil, q.notAnswered(err)
	}
	return screen.Draw(snap, width, height), nil
}

// keepLooking draws each second and after each key, until a key or a signal quits.
func (q *query) keepLooking(out *os.File) error {
	signals, stop := q.s.Signals()
	defer stop()
	screen := &view.Screen{Colour: os.Getenv("NO_COLOR") == "", ASCII: !view.IsUTF8(os.Getenv)}
	keys := typedKeys()
	tick := time.NewTicker(topInterval)
	defer tick.Stop()
	for {
		q.draw(screen, out)
		select {
		case key, ok := <-keys:
			if !ok || screen.Key(key) {
				return nil
			}
		case <-tick.C:
		case sig := <-signals:
			if daemon.Stops(sig) {
				return nil
			}
		}
	}
}

func (q *query) draw(screen *view.Screen, out *os.File) {
	width, height, err := term.GetSize(int(out.Fd()))
	if err != nil || width < 20 || height < 5 {
		width, height = 80, 24
	}
	lines, err := q.look(screen, width, height)
	if err != nil {
		text := err.Error()
		if why, ok := errors.AsType[*daemon.Exit](err); ok {
			text = why.Text
		}
		lines = screen.Message(text, width)
	}
	// Line by line, and then the rest, so that nothing flickers.
	fmt.Fprint(out, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J")
}

// typedKeys has the typed keys, one by one; an arrow is one. It ends with the program.
func typedKeys() <-chan string {
	keys := make(chan string)
	go func() {
		defer close(keys)
		var b [16]byte
		for {
			n, err := os.Stdin.Read(b[:])
			if err != nil {
				return
			}
			text := string(b[:n])
			if strings.HasPrefix(text, "\x1b") {
				keys <- text
				continue
			}
			for _, r := range text {
				keys <- string(r)
			}
		}
	}()
	return keys
}
