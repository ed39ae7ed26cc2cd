package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

func TestLayout(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{
			"log", "[Sat Nov 21 02:24:16 2026] Added virtual server: 10.0.0.80:80",
			"02:24:16 Added virtual server: 10.0.0.80:80",
		},
		{
			"daemon's log", "[Sat Nov  7 02:24:16 2026|ldirectord.cf|17] Exiting",
			"02:24:16 Exiting",
		},
		{
			"monitor log", "2026-11-21 02:12:00, 127.0.0.11:8081 is gone. (tcp 10.0.0.80:80: connection refused)",
			"02:12:00 127.0.0.11:8081 is gone. (tcp 10.0.0.80:80: connection refused)",
		},
		{
			"too long", "[Sat Nov 21 02:24:16 2026] Dry run: the table is kept in memory, nothing is written to the kernel, no mail",
			"02:24:16 Dry run: the table is kept in memory, nothing is written to the kernel,\n           no mail",
		},
		{"anything else", "no time here", "         no time here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, layout(split(tt.line))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStyle(t *testing.T) {
	tests := []struct{ text, want string }{
		{"ipvsadm -a -t 10.0.0.80:80 -r 127.0.0.11:8081 -m -w 1", cyan},
		{"127.0.0.11:8081 is gone. (tcp)", red},
		{"127.0.0.11:8081 is back. (tcp)", green},
		{"Added fallback server: 127.0.0.10:8081 (10.0.0.80:80) (Weight set to 1)", yellow},
		{"Added virtual server: 10.0.0.80:80", plain},
	}
	for _, tt := range tests {
		if got := style(tt.text); got != tt.want {
			t.Errorf("style(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestKeys(t *testing.T) {
	c, err := newCast()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	const page1, page2 = "This is real server 1.\n", "This is real server 2.\n"
	for _, step := range []struct {
		key        byte
		done       string
		one, other string // what the real servers answer then
	}{
		{'x', "", page1, page2},
		{'1', "you stopped real server 1", "refused", page2},
		{'b', "you broke the page of real server 2", "refused", "It works!\n"},
		{'1', "you started real server 1", page1, "It works!\n"},
		{'b', "you repaired real server 2", page1, page2},
		{'2', "you stopped real server 2", page1, "refused"},
		{'b', "you started real server 2", page1, page2},
	} {
		if got := c.press(step.key); got != step.done {
			t.Errorf("key %c: %q, want %q", step.key, got, step.done)
		}
		for i, want := range []string{step.one, step.other} {
			if got := answer(t, c.reals[i].addr); got != want {
				t.Errorf("after key %c real server %d answers %q, want %q", step.key, i+1, got, want)
			}
		}
	}
}

// answer is the page that a server has, or "refused".
func answer(t *testing.T, addr string) string {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/index.html")
	if err != nil {
		return "refused"
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(b.String(), "\r\n\r\n")
	return page
}

// TestRun runs the demo with a program that only says that it was started, and
// stops a real server as curl would.
func TestRun(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ldirectord")
	script := "#!/bin/sh\ntrap 'exit 0' TERM\necho \"[Sat Nov 21 02:24:16 2026] $1 $2 $4\"\nwhile :; do sleep 0.1; done\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	var out transcript
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, program, nil, &screen{w: &out}) }()

	out.await(t, "02:24:16 --dry-run --config start")
	_, url, _ := strings.Cut(out.String(), "curl ")
	url, _, _ = strings.Cut(url, " ")
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	out.await(t, "* you stopped real server 1")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	out.await(t, "nothing to clean up")
}

// TestStory checks that the real program shows the events of the introduction.
func TestStory(t *testing.T) {
	program := lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord")
	var out transcript
	keys := make(chan byte)
	ended := make(chan error, 1)
	go func() { ended <- run(t.Context(), program, keys, &screen{w: &out}) }()

	one, two, fallback := "127.0.0.11:", "127.0.0.12:", "127.0.0.10:"
	out.await(t, "started: 2 of 2 in service")
	keys <- '1'
	out.await(t, "you stopped real server 1", one, "is gone.")
	keys <- 'b'
	out.await(t, "you broke the page of real server 2", two, "is gone.", "Added fallback server: "+fallback)
	keys <- '1'
	out.await(t, "you started real server 1", "Deleted fallback server: "+fallback)
	keys <- 'q'
	out.await(t, "Purged virtual server (stop): "+virtual, "nothing to clean up")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestRunFails sees that a program that does not stay is reported.
func TestRunFails(t *testing.T) {
	err := run(t.Context(), "/bin/false", nil, &screen{w: &transcript{}})
	if err == nil || err.Error() != "/bin/false: exit status 1" {
		t.Errorf("got %v", err)
	}
}

// TestReadKeys types on a terminal.
func TestReadKeys(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	keys, restore := readKeys(t.Context(), terminal)
	if _, err := keyboard.WriteString("1q"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []byte("1q") {
		if got := <-keys; got != want {
			t.Errorf("got key %q, want %q", got, want)
		}
	}
	restore()
	mode, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if mode.Lflag&unix.ECHO == 0 || mode.Lflag&unix.ICANON == 0 {
		t.Error("the terminal was not given back as it was")
	}
}

func TestReadKeysWithoutTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	keys, restore := readKeys(t.Context(), null)
	defer restore()
	if keys != nil {
		t.Error("there are keys without a keyboard")
	}
}

// openTerminal makes a terminal and the keyboard to type on it.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// A transcript is the output so far.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until a text was shown and, after it, all others.
func (s *transcript) await(t *testing.T, first string, more ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually.Limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !shown(s.String(), first, more) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%q %q was not shown:\n%s", first, more, s)
		}
	}
}

// shown says whether all texts stand behind the first.
func shown(text, first string, more []string) bool {
	_, after, found := strings.Cut(text, first)
	for _, m := range more {
		found = found && strings.Contains(after, m)
	}
	return found
}
