package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/ipvs"
)

// onTerminal is what run writes on a terminal of 80 columns.
func onTerminal(t *testing.T, run func(terminal *os.File)) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(master) // ends with an error when the terminal is closed
		read <- string(text)
	}()
	run(terminal)
	terminal.Close()
	return strings.ReplaceAll(<-read, "\r\n", "\n")
}

// commandDaemon is a director with a real server that answers nonsense, for commands.
func commandDaemon(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	dirs, err := daemon.FindDirectories(dir, dir, daemon.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "t.cf")
	write(t, file, "monitorlog=none\nlogfile=\""+dir+"/l\"\ncheckinterval=3600\nquiescent=no\nvirtual=10.0.0.1:80\n    servicename=\"the shop of Zoë, which has a name that is longer than a terminal has columns to show it\"\n"+
		"    service=http\n    request=\"a\"\n    receive=\"b\"\n    scheduler=sh\n    real=10.1.0.1:80 masq 0\n    real=10.1.0.2:80 masq\n")
	cfg, err := conf.Load(file, conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := director.New(director.Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}, Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
		if strings.Contains(c.String(), "10.1.0.1") {
			return engine.Result{Attempts: 1, Took: 7 * time.Microsecond}
		}
		return engine.Result{Attempts: 1, Took: 7 * time.Microsecond, Err: errors.New("the answer does not match: \"Café, and so many other words that the line goes on for long behind th…\"")}
	}})
	ended := make(chan error, 1)
	ctx := t.Context()
	go func() { ended <- d.Run(ctx, cfg) }()
	t.Cleanup(func() { <-ended })
	s := daemon.Instance{Name: "t.cf", Path: file, Found: true, Dirs: dirs}
	server := status.New(status.Options{Director: d, Log: t.Logf, Socket: s.Socket(), Overrides: s.OverridesFile()})
	t.Cleanup(server.Close)
	server.Use(cfg)
	await(t, "the first checks", func() bool {
		snap, err := d.Snapshot(t.Context())
		return err == nil && snap.Ready
	})
	return dir, file
}

// On a terminal nothing is wider than it, and only the characters of its locale are written. A pipe
// gets all as it is.
func TestTerminal(t *testing.T) {
	dir, file := commandDaemon(t)
	t.Setenv("LC_CTYPE", "en_GB.UTF-8")
	run := func(out io.Writer, words string) {
		Main(Env{Args: append([]string{"ldirectord", file}, strings.Fields(words)...), RunDir: dir, StateDir: dir, Stdout: out, Stderr: out})
	}
	for _, words := range []string{"show", "why 10.1.0.2", "history", "check", "check --explain", "served", "served 10.0.0.1", "recheck", "status", "top", "help", "help host", "doctor --help"} {
		var piped strings.Builder
		for locale, want := range map[string]bool{"C": false, "POSIX": false, "": true, "C.UTF-8": true, "de_DE.ISO-8859-1": false} {
			t.Setenv("LC_ALL", locale)
			t.Setenv("TERM", "dumb")
			text := onTerminal(t, func(terminal *os.File) { run(terminal, words) })
			for line := range strings.Lines(text) {
				if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 80 {
					t.Errorf("%s in the locale %q: a line of %d columns: %s", words, locale, utf8.RuneCountInString(line), line)
				}
			}
			other := strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
			if other && !want {
				t.Errorf("%s in the locale %q writes more than ASCII:\n%s", words, locale, text)
			}
			if want && !other && (words == "show" || words == "top") || !strings.HasSuffix(text, "\n") {
				t.Errorf("%s in the locale %q:\n%s", words, locale, text)
			}
		}
		t.Setenv("LC_ALL", "C")
		if run(&piped, words); words == "why 10.1.0.2" && !strings.Contains(piped.String(), "Café, and so many other words that the line goes on for long behind th…") {
			t.Errorf("%s into a pipe:\n%s", words, piped.String())
		}
	}
	text := onTerminal(t, func(terminal *os.File) { run(terminal, "show --json") })
	var snap report.Snapshot
	if err := json.Unmarshal([]byte(text), &snap); err != nil || !strings.Contains(text, `Zo\u00eb`) || !strings.Contains(snap.Virtuals[0].ServiceName, "Zoë") {
		t.Errorf("show --json in the locale C: %v\n%s", err, text)
	}
}

// An output keeps the halves of characters and lines together.
func TestOutputInPieces(t *testing.T) {
	for name, tt := range map[string]struct {
		o    output
		want string
	}{
		"ASCII":            {output{ascii: true}, "up ~ caf? 5us, and more\nend"},
		"folded":           {output{fold: 14}, "up … café 5µs,\n    and more\nend"},
		"ASCII and folded": {output{ascii: true, fold: 14}, "up ~ caf? 5us,\n    and more\nend"},
		"JSON":             {output{ascii: true, fold: 14, json: true}, `up \u2026 caf\u00e9 5\u00b5s, and more` + "\nend"},
	} {
		var b strings.Builder
		o := tt.o
		o.to = &b
		for _, c := range []byte("up … café 5µs, and more\nend") {
			if n, err := o.Write([]byte{c}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		o.end(exitOK, func(string) bool { return false }, io.Discard)
		if b.String() != tt.want {
			t.Errorf("%s: %q, want %q", name, b.String(), tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"short", "short"},
		{"  one two three four five", "  one two three\n      four five"},
		{"averyverylongwordthatstays and more", "averyverylongwordthatstays\n    and more"},
		{"averyverylongwordthatstays", "averyverylongwordthatstays"},
		{"one            two           ", "one\n    two"},
		{"                    ", "                    "},
		{"日本語の 頁 です", "日本語の 頁 です"}, // two columns each
		{"日本語の 頁 です。", "日本語の 頁\n    です。"},
	} {
		if got := view.Fold(tt.line, 16); got != tt.want {
			t.Errorf("Fold(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}
