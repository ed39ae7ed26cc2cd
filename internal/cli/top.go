package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/status/client"
)

// topInterval is how often top looks.
const topInterval = time.Second

// What a terminal is told: another screen without a cursor, and back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// top shows the daemon's real servers and keeps at it. Where there is no
// terminal, it shows them once.
func (s *session) top() error {
	if _, err := s.words(commandFlags(), 0, 0); err != nil {
		return err
	}
	c := s.reader()
	defer c.Close()
	out, isFile := s.Stdout.(*os.File)
	if !isFile || !term.IsTerminal(int(out.Fd())) || !term.IsTerminal(int(os.Stdin.Fd())) {
		lines, err := s.look(c, &view.Screen{}, 120, 0)
		fmt.Fprint(s.Stdout, strings.Join(append(lines, ""), "\n"))
		return err
	}
	// Who cannot be asked at all is said on the usual screen.
	if _, err := s.look(c, &view.Screen{}, 80, 0); err != nil {
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
	return s.keepLooking(c, out)
}

// look asks the daemon and draws what it says.
func (s *session) look(c *client.Client, screen *view.Screen, width, height int) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	snap, err := c.Snapshot(ctx, "", "")
	if err != nil {
		return nil, s.notAnswered(err)
	}
	return screen.Draw(snap, width, height), nil
}

// keepLooking draws each second and after each key until one says to quit, or a
// signal does.
func (s *session) keepLooking(c *client.Client, out *os.File) error {
	signals, stop := s.Signals()
	defer stop()
	screen := &view.Screen{Colour: os.Getenv("NO_COLOR") == ""}
	keys := typedKeys()
	tick := time.NewTicker(topInterval)
	defer tick.Stop()
	for {
		s.draw(c, screen, out)
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

func (s *session) draw(c *client.Client, screen *view.Screen, out *os.File) {
	width, height, err := term.GetSize(int(out.Fd()))
	if err != nil || width < 20 || height < 5 {
		width, height = 80, 24
	}
	lines, err := s.look(c, screen, width, height)
	if err != nil {
		text := err.Error()
		if why, ok := errors.AsType[*daemon.Exit](err); ok {
			text = why.Text
		}
		lines = []string{text}
	}
	// Line by line, and then the rest, so that nothing flickers.
	fmt.Fprint(out, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J")
}

// typedKeys is what is typed, key by key; an arrow is one. It ends with the
// program.
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
