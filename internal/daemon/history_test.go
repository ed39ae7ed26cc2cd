package daemon

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// historyOf reads the history's file of t.cf in dir, as the next daemon does.
func historyOf(t *testing.T, dir string) []event.Event {
	t.Helper()
	journal := state.Memory(dir).Journal(filepath.Join(dir, "t.cf"))
	lines, err := journal.Read()
	events, bad, first := event.ParseLines(lines)
	if err != nil || bad > 0 {
		t.Errorf("the file: %v; %d bad lines, %v", err, bad, first)
	}
	return events
}

// words are events in the words of the history.
func words(events []event.Event) []string {
	var list []string
	for _, e := range events {
		list = append(list, e.Words())
	}
	return list
}

// serveOnce runs a daemon of t.cf in dir until its table is complete, ends it, and returns its log.
func serveOnce(t *testing.T, dir string, dryRun bool) string {
	t.Helper()
	file := filepath.Join(dir, "t.cf")
	write(t, file, "logfile=\""+dir+"/log\"\nmonitorlog=none\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=on\n")
	if err := os.RemoveAll(dir + "/log"); err != nil {
		t.Fatal(err)
	}
	p := starting(t, dir, file)
	p.DryRun = dryRun
	signals, ready, ended := make(chan os.Signal), make(chan struct{}, 2), make(chan error, 1)
	p.Signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
	p.OpenTable = func(context.Context) (ipvs.Table, error) { return ipvs.NewMemory(), nil }
	go func() {
		err := Serve(p.Options, func() { ready <- struct{}{} })
		p.Log.Close()
		ended <- err
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the daemon did not start: %v", err)
	}
	signals <- unix.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(dir + "/log")
	if err != nil && !dryRun {
		t.Error(err)
	}
	return string(log)
}

// TestHistoryOutlivesTheDaemon starts and stops two daemons, and a dry run between them.
func TestHistoryOutlivesTheDaemon(t *testing.T) {
	dir := t.TempDir()
	serveOnce(t, dir, false)
	first := historyOf(t, dir)
	if got := words(first); len(got) < 3 || got[0] != "ldirectord started" || got[len(got)-1] != "ldirectord stopped" {
		t.Errorf("after the first daemon: %q", got)
	}
	serveOnce(t, dir, true)
	if got := historyOf(t, dir); len(got) != len(first) {
		t.Errorf("a dry run has added %q", words(got[len(first):]))
	}
	log := serveOnce(t, dir, false)
	second := historyOf(t, dir)
	if strings.Contains(log, "The history ") {
		t.Errorf("the log says of a good history:\n%s", log)
	}
	if got := words(second); len(got) != 2*len(first) || !slices.Equal(got[:len(first)], words(first)) || got[len(first)] != "ldirectord started" {
		t.Errorf("after the second daemon: %q", got)
	}
	if i := len(first); second[i].Seq <= second[i-1].Seq {
		t.Errorf("number %d follows %d", second[i].Seq, second[i-1].Seq)
	}
}

// TestBadHistoryHarmsNoStart has files in the place of the history's that cannot be read.
func TestBadHistoryHarmsNoStart(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, path string){
		"foreign":     func(t *testing.T, path string) { write(t, path, "[]\n") },
		"empty":       func(t *testing.T, path string) { write(t, path, "") },
		"a directory": func(t *testing.T, path string) { mustDo(t, os.MkdirAll(path+"/x", 0o755)) },
		"a FIFO":      func(t *testing.T, path string) { mustDo(t, unix.Mkfifo(path, 0o644)) },
		"a link":      func(t *testing.T, path string) { mustDo(t, os.Symlink("/etc/passwd", path)) },
		"of another file": func(t *testing.T, path string) {
			write(t, path, state.Memory("x").Journal("/etc/ha.d/other.cf").Heading+"\n")
		},
		"damaged": func(t *testing.T, path string) {
			dir := filepath.Dir(path)
			heading := state.Memory(dir).Journal(dir + "/t.cf").Heading
			good := event.Event{Kind: event.Gone, Seq: 5, Time: time.Now(), R: "10.1.0.9:80"}
			write(t, path, heading+"\n\x00\n"+string(good.Line())+"{\"seq\":3}\n{}\ntorn")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := state.Memory(dir).Journal(dir + "/t.cf").Path
			put(t, path)
			log := serveOnce(t, dir, false)
			if strings.Count(log, "The history ") != 1 || !strings.Contains(log, path+".bad") {
				t.Errorf("want one line about the history in the log:\n%s", log)
			}
			got := words(historyOf(t, dir))
			if name == "damaged" && got[0] == "real server 10.1.0.9:80 is gone" {
				got = got[1:]
			}
			if !strings.HasPrefix(got[0], "ldirectord started") {
				t.Errorf("the history begins with %q", got)
			}
			if _, err := os.Lstat(path + ".bad"); err != nil {
				t.Errorf("the bad file is lost: %v", err)
			}
		})
	}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestUnwritableHistory has a state directory in which nothing can be written, for a time:
// the fault is shown as long as it lasts, and nothing is lost.
func TestUnwritableHistory(t *testing.T) {
	dir := t.TempDir()
	journal := state.Memory(dir).Journal(dir + "/t.cf")
	mustDo(t, os.MkdirAll(journal.Path+".new/x", 0o755)) // in the way of Replace
	h := new(event.History)
	c := beginChronicle(h, journal, keptHistory, t.Logf, func() {})
	defer c.close()
	h.Add(&event.Event{Kind: event.Gone, Time: time.Now(), R: "10.1.0.1:80"})
	eventually.True(t, "no fault is shown", func() bool { return len(c.mend()) == 1 })
	for range 20_000 { // none waits for the disk
		h.Add(&event.Event{Kind: event.SoftFailure, Time: time.Now(), R: "10.1.0.2:80"})
	}
	h.Add(&event.Event{Kind: event.Back, Time: time.Now(), R: "10.1.0.1:80"})
	mustDo(t, os.RemoveAll(journal.Path+".new"))
	eventually.True(t, "the fault goes on", func() bool { return len(c.mend()) == 0 })
	if got := words(historyOf(t, dir)); !slices.Equal(got, []string{"real server 10.1.0.1:80 is gone", "real server 10.1.0.1:80 is back"}) {
		t.Errorf("the file has %q", got)
	}
}

// TestUnwritableHistoryIsLogged has the line of the log also of a daemon that ends at once.
func TestUnwritableHistoryIsLogged(t *testing.T) {
	dir := t.TempDir()
	path := state.Memory(dir).Journal(dir + "/t.cf").Path
	mustDo(t, os.MkdirAll(path+".new/x", 0o755)) // in the way of Replace
	const fault = "The history cannot be kept for a restart: "
	if log := serveOnce(t, dir, false); strings.Count(log, fault) != 1 {
		t.Errorf("want one line %q in the log:\n%s", fault, log)
	}
	mustDo(t, os.RemoveAll(path+".new"))
	if log := serveOnce(t, dir, false); strings.Contains(log, fault) {
		t.Errorf("the log says of a good file:\n%s", log)
	}
}

// TestHistoryFileIsBounded writes far more than there is room for.
func TestHistoryFileIsBounded(t *testing.T) {
	const kept = 20_000
	dir := t.TempDir()
	h := new(event.History)
	c := beginChronicle(h, state.Memory(dir).Journal(dir+"/t.cf"), kept, t.Logf, func() {})
	journal := c.journal.Path
	long := strings.Repeat("x", 500)
	add := func(k event.Kind) {
		e := event.Event{Kind: k, Time: time.Now(), ID: "tcp:10.0.0.1:80", R: "10.1.0.1:80", Reason: long}
		h.Add(&e)
		eventually.True(t, "an event is not written", func() bool { return lastNumber(journal) == e.Seq })
		if info, err := os.Stat(journal); err != nil || info.Size() > 2*kept+1000 || info.Mode().Perm() != 0o600 {
			t.Fatalf("the file: %+v, %v", info, err)
		}
	}
	add(event.Gone)
	for range 200 {
		add(event.RealQuiesced)
	}
	c.close()
	events := historyOf(t, dir)
	if events[0].Kind != event.Gone {
		t.Error("changes of the table have pushed out who is gone")
	}
	if n := len(events); n < 10 || n > 2*kept/500 {
		t.Errorf("the file has %d events", n)
	}
}

// lastNumber is the number of the last line of a history's file, 0 if there is none.
func lastNumber(path string) uint64 {
	text, _ := os.ReadFile(path)
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	e, err := event.ParseLine(lines[len(lines)-1])
	if err != nil {
		return 0
	}
	return e.Seq
}

// TestHistoryOfAKilledDaemon kills a process again and again while it writes its history,
// and replaces the file, as fast as it can. TestMain has the process.
func TestHistoryOfAKilledDaemon(t *testing.T) {
	dir := t.TempDir()
	last := uint64(0)
	for round := range 30 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "WRITE_HISTORY_IN="+dir)
		out, err := cmd.StdoutPipe()
		mustDo(t, errors.Join(err, cmd.Start()))
		lines := bufio.NewScanner(out)
		for range 1 + rand.IntN(200) { // some are written, and the next is under way
			if !lines.Scan() {
				t.Fatal("the process has ended by itself")
			}
		}
		written, err := strconv.ParseUint(lines.Text(), 10, 64)
		mustDo(t, errors.Join(err, cmd.Process.Kill()))
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // it was killed
		events := historyOf(t, dir)
		if len(events) == 0 {
			t.Fatalf("round %d: the file is empty", round)
		}
		newest := events[len(events)-1].Seq
		if newest < written || written <= last {
			t.Errorf("round %d: the file ends with %d, event %d was written, after %d of the process before", round, newest, written, last)
		}
		last = newest
	}
	if files, err := filepath.Glob(dir + "/*"); err != nil || len(files) > 2 {
		t.Errorf("killed processes have left %q, %v", files, err)
	}
}

// writeHistory writes events to the file of t.cf in dir for ever, and prints the number of each
// when it is written.
func writeHistory(dir string) {
	h := new(event.History)
	journal := state.Memory(dir).Journal(filepath.Join(dir, "t.cf"))
	lines, err := journal.Read()
	events, bad, _ := event.ParseLines(lines)
	if err != nil || bad > 0 {
		os.Exit(1)
	}
	h.Begin(event.LastOf(lines), time.Now())
	c := beginChronicle(h, journal, 4000, func(string, ...any) {}, func() { h.Restore(events) })
	for {
		e := event.Event{Kind: event.Gone, Time: time.Now(), ID: "tcp:10.0.0.1:80", R: "10.1.0.1:80", Reason: "refused"}
		h.Add(&e)
		for lastNumber(c.journal.Path) < e.Seq {
			time.Sleep(time.Microsecond)
		}
		fmt.Println(e.Seq)
	}
}

// TestWrongNumberInHistory has one digit of the file changed: that costs few other events, the
// numbers go on, and new events are written.
func TestWrongNumberInHistory(t *testing.T) {
	const lines = 300
	for _, at := range []int{0, 1, 150, 199, 200, 201, 250, 298, 299} {
		for _, wrong := range []uint64{1, 5_000, 1 << 51} {
			var text [][]byte
			for i := range lines {
				e := event.Event{Kind: event.Gone, Seq: 1000 + uint64(i), Time: time.Now(), R: "10.1.0.1:80"}
				if i == at {
					e.Seq = wrong
				}
				text = append(text, bytes.TrimSpace(e.Line()))
			}
			h := new(event.History)
			h.Begin(event.LastOf(text), time.Time{})
			events, bad, _ := event.ParseLines(text)
			h.Restore(events)
			e := event.Event{Kind: event.Back, Time: time.Now()}
			h.Add(&e)
			if bad > 100 {
				t.Errorf("number %d in line %d costs %d lines", wrong, at, bad)
			}
			if last := events[len(events)-1].Seq; e.Seq <= last {
				t.Errorf("number %d in line %d: %d follows %d", wrong, at, e.Seq, last)
			}
			if all := h.KeptAfter(0); all[len(all)-1].Seq != e.Seq {
				t.Errorf("number %d in line %d: the last event to be written is %d, want %d", wrong, at, all[len(all)-1].Seq, e.Seq)
			}
		}
	}
}

// FuzzHistoryFile reads a history's file of any content. What it takes for events has a form that
// it reads again in the same way.
func FuzzHistoryFile(f *testing.F) {
	journal := state.Memory("/var/lib/ldirectord").Journal("/etc/ha.d/ldirectord.cf")
	for _, e := range []event.Event{
		{Kind: event.Gone, Seq: 7, Time: time.Unix(1_800_000_000, 5), ID: "tcp:10.0.0.1:80", R: "10.1.0.1:80", Reason: "refused", Down: time.Hour, Cause: &event.Cause{Kind: event.CauseCheck, Detail: "refused"}},
		{Kind: event.RealReaddQuiesced, Seq: 8, Time: time.Unix(1_800_000_001, 0), ID: "fwm:8", R: "[fd00::1]:80", Weight: 3, Mapped: "[fd00::1]:81"},
		{Kind: event.DaemonStarted, Seq: 9, Time: time.Unix(1_800_000_002, 0)},
	} {
		line := string(e.Line())
		f.Add([]byte(journal.Heading + "\n" + line + line[:len(line)/2]))
		f.Add([]byte(journal.Heading + "\n" + line + line))
	}
	f.Add([]byte("\n"))
	f.Add([]byte(journal.Heading + "\n{\"seq\":1,\"time\":\"9999-12-31T23:59:59.999999999-12:00\",\"kind\":\"gone\"}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := journal.Parse(text)
		if err != nil && lines != nil {
			t.Errorf("%d lines beside %v", len(lines), err)
		}
		events, bad, first := event.ParseLines(lines)
		if len(events)+bad != len(lines) || bad > 0 != (first != nil) {
			t.Errorf("%d events and %d bad ones, %v, of %d lines", len(events), bad, first, len(lines))
		}
		h := new(event.History)
		h.Begin(event.LastOf(lines), time.Unix(1_800_000_000, 0))
		h.Restore(slices.Clone(events))
		e := event.Event{Kind: event.Gone, Time: time.Unix(1_800_000_000, 0)}
		h.Add(&e)
		if n := len(events); n > 0 && e.Seq <= events[n-1].Seq {
			t.Errorf("number %d follows %d", e.Seq, events[n-1].Seq)
		}
		_, written := event.Newest(h.KeptAfter(0), len(text)*8+10_000)
		again, err := journal.Parse(append([]byte(journal.Heading+"\n"), written...))
		if err != nil {
			t.Fatal(err)
		}
		if _, bad, first := event.ParseLines(again); bad > 0 {
			t.Errorf("%d lines of our own are bad: %v", bad, first)
		}
	})
}
