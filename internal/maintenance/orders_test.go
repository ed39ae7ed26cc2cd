package maintenance

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/state"
)

// TestMeaning has the contents of files that are orders, and of those that are not.
func TestMeaning(t *testing.T) {
	written := time.Date(2026, 3, 10, 22, 30, 0, 0, time.Local)
	now := written.Add(time.Hour)
	at := func(day, hour, minute int) string {
		return time.Date(2026, 3, day, hour, minute, 0, 0, time.Local).UTC().Format(time.RFC3339)
	}
	for _, tt := range []struct{ body, want string }{
		{"", "out"},
		{"drain\n", "drain"},
		{"drain", "drain"},
		{"drain\nnew disk\n ticket 7\n", "drain: new disk ticket 7"},
		{"drain \n", "no order"},
		{"drain\r\n", "no order"},
		{"Drain\n", "no order"},
		{"drain now\n", "no order"},
		{"\ndrain\n", "no order"},
		{"weight 5\n", "weight 5"},
		{"weight 0\n", "drain"},
		{"weight 2147483647\n", "weight 2147483647"},
		{"weight 2147483648\n", "no order"},
		{"weight -1\n", "no order"},
		{"weight 50%\n", "weight 50%"},
		{"weight 0%\n", "drain"},
		{"weight 25600%\n", "weight 25600%"},
		{"weight 25601%\n", "no order"},
		{"weight 50 %\n", "no order"},
		{"weight\n", "no order"},
		{"weight 5 \n", "no order"},
		{"weight  5\n", "no order"},
		{"reboot, back at noon\n", "no order"},
		{"until 23:00\n", "over"}, // the next one after it was written
		{"until 23:45\nreboot\n", "until " + at(10, 23, 45) + ": reboot"},
		{"until 22:30\n", "until " + at(11, 22, 30)},
		{"until 01:00\n", "until " + at(11, 1, 0)},
		{"until 1:00\n", "no order"},
		{"until 24:00\n", "no order"},
		{"until 2026-03-11 08:00\n", "until " + at(11, 8, 0)},
		{"until 2026-03-10 23:00\n", "over"},
		{"until 2026-03-10 22:00\n", "no order"}, // it had passed
		{"until " + at(12, 0, 0) + "\n", "until " + at(12, 0, 0)},
		{"until " + at(9, 0, 0) + "\n", "no order"},
		{"until tomorrow\n", "no order"},
		{"until\n", "no order"},
		{"drain\n\x1b[2J\xff\u202e!", "drain: [2J?!"},
		{"drain\n" + strings.Repeat("é", 200), "drain: " + strings.Repeat("é", 100)},
	} {
		m := (&text{body: tt.body, written: written}).read("f", now)
		got := "out"
		switch {
		case m.over != "":
			got = "over"
		case m.why != "":
			got = "no order"
		case m.order != nil:
			o := m.order
			got, _, _ = strings.Cut(o.String(), " by ")
			if o.Verb == Out {
				got = "until " + o.Until.Format(time.RFC3339)
			}
			if o.Comment != "" {
				got += ": " + o.Comment
			}
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q (%s)", tt.body, got, tt.want, m.why)
		}
	}
}

// TestReadText reads no more than a regular file that is not large, and waits until it is written.
func TestReadText(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write := func(body string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	counts := func(x *text) string {
		if x = x.counts(); x == nil {
			return "nothing"
		}
		return x.body + x.fault
	}
	write("drain\n", 0)
	first := readText(dir, "f", nil, now)
	if got := counts(first); got != "drain\n" {
		t.Errorf("a whole line: %q", got)
	}
	if readText(dir, "f", first, now) != first {
		t.Error("a file without a change is another one")
	}
	write("weight 1", 0) // of 100
	half := readText(dir, "f", first, now)
	if got := counts(half); got != "drain\n" {
		t.Errorf("half of a line: %q counts, want what was there before", got)
	}
	if got := counts(readText(dir, "f", half, now.Add(settleTime))); got != "weight 1" {
		t.Errorf("after a rest: %q", got)
	}
	write("", 0)
	if got := counts(readText(dir, "f", nil, now)); got != "nothing" {
		t.Errorf("a new file, still empty: %q", got)
	}
	write("", time.Minute)
	if got := counts(readText(dir, "f", nil, now)); got != "" {
		t.Errorf("an old empty file: %q", got)
	}
	write(strings.Repeat("x", maxText+1), time.Minute)
	if got := counts(readText(dir, "f", nil, now)); !strings.Contains(got, "more than 4096 bytes") {
		t.Errorf("a large file: %q", got)
	}
	write("drain\n", 0)
	for name, make := range map[string]func(string) error{
		"link": func(p string) error { return os.Symlink(path, p) },
		"fifo": func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"dir":  func(p string) error { return os.Mkdir(p, 0o700) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if got := counts(readText(dir, name, nil, now)); !strings.Contains(got, "it is ") {
			t.Errorf("%s: %q, want that it is no regular file", name, got)
		}
	}
	if got := counts(readText(dir, "gone", first, now)); got != "drain\n" {
		t.Errorf("a file that cannot be read: %q, want what was known", got)
	}
}

// TestOrders has several files for a real server, and files of an earlier process.
func TestOrders(t *testing.T) {
	at := netip.MustParseAddrPort("10.1.0.1:80")
	dir := t.TempDir()
	cfg := &conf.Config{
		Process:  conf.Process{MaintenanceDir: dir, MaintenanceOrders: true},
		Virtuals: []*conf.VirtualService{{Reals: []*conf.RealServer{{Addr: at.Addr(), Port: at.Port(), Host: "10.1.0.1"}}}},
	}
	write := func(name, body string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := New(Options{})
	write("10.1.0.1", "drain\n")
	if got := w.Lookup(cfg); got.Orders[at].Verb != Drain || len(got.Out) != 0 {
		t.Errorf("an order: %+v", got)
	}
	write("10.1.0.1:80", "weight 7\n")
	if got := w.Lookup(cfg); got.Orders[at].Weight != 7 {
		t.Errorf("the most exact name does not count: %+v", got)
	}
	write("10.1.0.1:80", "until 2000-01-01 00:00\n")
	if got := w.Lookup(cfg); got.Out[at] != "10.1.0.1:80" || len(got.Orders) != 0 {
		t.Errorf("a time that has passed: %+v, want out", got)
	}
	var s State
	files, texts, _ := w.look(cfg)
	s.explainOrders(files, meanings(files, texts, time.Now()), nil)
	if len(s.NoOrders) != 1 || len(News(s, State{})) != 1 || len(News(s, s)) != 0 {
		t.Errorf("the warning: %+v, %v", s.NoOrders, News(s, State{}))
	}
	write("10.1.0.1:80", "weight 9999999999\n")
	var again State
	files, texts, _ = w.look(cfg)
	again.explainOrders(files, meanings(files, texts, time.Now()), nil)
	if len(News(again, s)) != 1 || len(News(again, again)) != 0 {
		t.Errorf("a file that is written again, and is no order for another reason: %v, want a warning", News(again, s))
	}
	plain := *cfg
	plain.MaintenanceOrders = false
	write("10.1.0.1:80", "weight 7\n")
	if got := w.Lookup(&plain); got.Out[at] != "10.1.0.1:80" || len(got.Orders) != 0 {
		t.Errorf("without maintenanceorders: %+v, want out", got)
	}
	w.Lookup(cfg)
	_, texts, _ = w.look(cfg)
	kept := state.Maintenance{Dir: dir, Files: []string{"10.1.0.1:80"}, Texts: textsKept(texts)}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := New(Options{Kept: kept}).Lookup(cfg); got.Orders[at].Weight != 7 {
		t.Errorf("after a restart without the directory: %+v", got)
	}
}
