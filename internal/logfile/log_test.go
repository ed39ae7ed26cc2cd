package logfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(logFile, monitorLog string) *conf.Config {
	return &conf.Config{Logs: conf.Logs{LogFile: logFile, MonitorLog: monitorLog}}
}

// masked replaces what differs from run to run.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`\|\d+\]`), "|PID]"},
	{regexp.MustCompile(`\] \[\d+\]`), "] [PID]"},
}

func masked(text string) string {
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	return text
}

var (
	service = &conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Service: "http", Request: "/"}}}
	server  = &conf.RealServer{Addr: netip.MustParseAddr("10.1.0.1"), Port: 80, Weight: 1, Forward: conf.Masq, Request: "/"}
	gone    = event.Event{
		Time: time.Now(), Kind: event.Gone, Virtual: service, Real: server, V: "10.0.0.1:80", R: "10.1.0.1:80",
		ID: "tcp:10.0.0.1:80", Reason: "connection refused", Attempts: 1,
	}
	deleted = event.Event{Kind: event.RealDeleted, Virtual: service, Real: server, V: "10.0.0.1:80", R: "10.1.0.1:80"}
)

const (
	goneLine    = "TIME, 10.1.0.1:80 is gone. (tcp 10.0.0.1:80: connection refused, 1 attempt)\n"
	deletedLine = "Deleted real server: 10.1.0.1:80 (10.0.0.1:80)\n"
)

func TestLogToFiles(t *testing.T) {
	dir := t.TempDir()
	cfg := config(filepath.Join(dir, "l"), filepath.Join(dir, "m"))
	var stdout, stderr bytes.Buffer
	l := New(Options{Name: "t.cf", Stdout: &stdout, Stderr: &stderr, Syslog: filepath.Join(dir, "no")}, cfg)
	l.Event(deleted)
	l.Event(gone)
	l.Debugf("not shown")
	watched := *service
	watched.MonitorFile = filepath.Join(dir, "f")
	l.Checked(event.Checked{Time: time.Now(), Virtual: &watched, Real: server, Up: true, Message: "200 OK"})
	l.Checked(event.Checked{Time: time.Now(), Virtual: service, Real: server, Up: true, Message: "in no file"})
	l.Close()
	want := map[string]string{
		"l": "[TIME|t.cf|PID] " + deletedLine,
		"m": goneLine,
		"f": "[TIME] [PID] negotiate http tcp 10.1.0.1 80 1 masq /  [up] 200 OK\n",
	}
	for name, text := range want {
		if diff := cmp.Diff(text, masked(contents(t, filepath.Join(dir, name)))); diff != "" {
			t.Errorf("file %s differs (-want +got):\n%s", name, diff)
		}
	}
	if stdout.Len()+stderr.Len() > 0 {
		t.Errorf("something was printed: %q %q", stdout.String(), stderr.String())
	}
}

func TestLogToStreams(t *testing.T) {
	supervised := config("/nonexistent/log", "")
	supervised.Supervised = true
	tests := map[string]struct {
		options        Options
		cfg            *conf.Config
		stdout, stderr string
	}{
		"supervised": {Options{}, supervised, "[TIME] " + deletedLine, ""},
		"-d":         {Options{Debug: true}, supervised, "", "DEBUG2: " + deletedLine + deletedLine + "DEBUG2: shown\n"},
		"dry run":    {Options{DryRun: true}, config("/nonexistent/log", "/nonexistent/m"), "[TIME] " + deletedLine + goneLine, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			test.options.Stdout, test.options.Stderr = &stdout, &stderr
			l := New(test.options, test.cfg)
			l.Event(deleted)
			l.Event(gone)
			l.Debugf("shown")
			l.Close()
			if diff := cmp.Diff(test.stdout, masked(stdout.String())); diff != "" {
				t.Errorf("standard output differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.stderr, masked(stderr.String())); diff != "" {
				t.Errorf("standard error differs (-want +got):\n%s", diff)
			}
		})
	}
}

// The reader of a supervised daemon's output is slow: it gets every line, in
// order, and nobody waits for it.
func TestSlowReader(t *testing.T) {
	r, w := io.Pipe()
	cfg := config("/nonexistent/log", "")
	cfg.Supervised = true
	l := New(Options{Stdout: w, Stderr: os.Stderr}, cfg)
	const n = 50_000
	for i := range n {
		l.Printf("line %d", i)
	}
	lines := bufio.NewScanner(r)
	for i := range n {
		if want := fmt.Sprintf("] line %d", i); !lines.Scan() || !strings.HasSuffix(lines.Text(), want) {
			t.Fatalf("read %q, %v; want %q", lines.Text(), lines.Err(), want)
		}
	}
	l.Close()
}

func TestLogUseChangesPlaces(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	l := New(Options{Name: "n", Stderr: os.Stderr}, config(path("l1"), path("m1")))
	l.Printf("one")
	l.Event(gone)
	l.Use(config(path("l2"), path("m1")))
	l.Printf("two")
	l.Event(gone)
	l.Use(config(path("l2"), ""))
	l.Printf("three")
	l.Event(gone)
	l.Close()
	got := map[string]string{}
	for _, name := range []string{"l1", "l2", "m1"} {
		got[name] = masked(contents(t, path(name)))
	}
	want := map[string]string{
		"l1": "[TIME|n|PID] one\n",
		"l2": "[TIME|n|PID] two\n[TIME|n|PID] three\n",
		"m1": goneLine + goneLine,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files differ (-want +got):\n%s", diff)
	}
}

func TestLogComplains(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "log")
	conn := syslogd(t, socket)
	var stderr bytes.Buffer
	l := New(Options{Name: "n", Stderr: &stderr, Syslog: socket}, config(filepath.Join(dir, "none", "l"), ""))
	l.Printf("one")
	l.Printf("two")
	l.Close()
	if got := strings.Count(stderr.String(), "none/l: no such file or directory\n"); got != 1 {
		t.Errorf("complained %d times on standard error, want once: %q", got, stderr.String())
	}
	if got := receive(t, conn); !strings.HasPrefix(got, "<27>") || !strings.HasSuffix(got, "none/l: no such file or directory") {
		t.Errorf("syslog was told %q", got)
	}
}

func TestLogReopen(t *testing.T) {
	dir := t.TempDir()
	cfg := config(filepath.Join(dir, "l"), filepath.Join(dir, "m"))
	l := New(Options{Name: "n", Stderr: os.Stderr}, cfg)
	l.Printf("one")
	l.Event(gone)
	l.Reopen()
	l.Printf("two")
	l.Event(gone)
	l.Close()
	if got, want := masked(contents(t, cfg.LogFile)), "[TIME|n|PID] one\n[TIME|n|PID] two\n"; got != want {
		t.Errorf("the log has %q, want %q", got, want)
	}
	if got, want := masked(contents(t, cfg.MonitorLog)), goneLine+goneLine; got != want {
		t.Errorf("the monitor log has %q, want %q", got, want)
	}
}

func TestNewWithoutConfiguration(t *testing.T) {
	l := New(Options{Stderr: os.Stderr}, nil)
	defer l.Close()
	if l.target != DefaultPath {
		t.Errorf("lines go to %q, want %q", l.target, DefaultPath)
	}
}
