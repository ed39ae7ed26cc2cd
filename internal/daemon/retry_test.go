package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/names"
	"github.com/ldirectord/ldirectord/internal/notify"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// runFake runs a daemon over a table in memory, whose real servers are all up, on the
// configuration file at path, in the bubble of a synctest.
func runFake(t *testing.T, path string, out *bytes.Buffer) (d *daemon, table *ipvs.Memory, stop func()) {
	t.Helper()
	return (&fake{}).run(t, path, out)
}

// A fake is what surrounds a daemon.
type fake struct {
	lookup names.Lookup            // of names, nil is the machine's
	down   func(asked string) bool // whether a check fails, nil is never

	signals chan<- os.Signal // of the daemon
}

func (f *fake) run(t *testing.T, path string, out io.Writer) (d *daemon, table *ipvs.Memory, stop func()) {
	t.Helper()
	sources, err := conf.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	lookup := f.lookup
	if lookup == nil {
		lookup = machineLookup
	}
	first := names.New(lookup, t.Logf, &conf.Config{})
	cfg, err := sources.Parse(first.Read(true).Into(Directories{}.ConfigOptions()))
	if err != nil {
		t.Fatal(err)
	}
	table = ipvs.NewMemory()
	d = &daemon{
		log: logfile.New(logfile.Options{Stdout: out, Name: "t.cf"}, cfg), cfg: cfg,
		file:    source{path: path, options: Directories{}.ConfigOptions()},
		watcher: watcher{path: path}, host: host.New(t.TempDir()), patience: readyPatience,
		vips: vips{addresses: virtual.NewAddresses()},
	}
	d.watcher.took(sources)
	d.reloads.whole, d.reloads.sources = cfg, sources
	d.file.names = names.New(lookup, d.log.Printf, cfg)
	d.notifier = notify.New(notify.Options{Log: d.log.Printf}, cfg)
	d.director = director.New(director.Options{
		OverridesEnded: func() { d.status.KeepOverrides() },
		Table:          table, Sink: d.event, Log: d.log.Printf,
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			if f.down != nil && f.down(c.String()) {
				return engine.Result{Attempts: 1, Err: errors.New("refused")}
			}
			return engine.Result{Attempts: 1}
		},
	})
	d.status = status.New(status.Options{Director: d.director, Log: d.log.Printf, Outside: d.outside.list, Overrides: path + ".json"})
	signals, ended := make(chan os.Signal), make(chan error)
	f.signals = signals
	go func() {
		_, err := d.run(signals, func() {})
		ended <- err
	}()
	return d, table, func() {
		signals <- unix.SIGTERM
		if err := <-ended; err != nil {
			t.Error(err)
		}
		d.log.Close()
	}
}

// realsIn is how many real servers of the table have a weight.
func realsIn(t *testing.T, table ipvs.Table) (n int) {
	t.Helper()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		for _, dst := range e.Destinations {
			if dst.Weight > 0 {
				n++
			}
		}
	}
	return n
}

// TestAutoReload has the file truncated for long, refused for want of a directory, and
// emptied of everything but a comment: the table follows what is whole, as soon as it
// can be used.
func TestAutoReload(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.cf")
	const globals = "supervised=yes\nmonitorlog=none\ncheckinterval=1\nautoreload=yes\n"
	const one = globals + "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	two := one + "    real=10.1.0.2:80 masq\n    monitorfile=" + dir + "/away/monitor\n"
	write(t, path, one)
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		d, table, stop := runFake(t, path, &out)
		wait := func(when string, pause time.Duration, want int, faults ...string) {
			t.Helper()
			time.Sleep(pause)
			synctest.Wait()
			if got := realsIn(t, table); got != want {
				t.Errorf("%s: %d real servers are in service, want %d", when, got, want)
			}
			var got []string
			for _, f := range d.outside.list() {
				got = append(got, strings.ReplaceAll(f.String(), dir, "DIR"))
			}
			if strings.Join(got, "\n") != strings.Join(faults, "\n") {
				t.Errorf("%s: what is wrong outside is %q, want %q", when, got, faults)
			}
		}
		wait("at first", 10*time.Second, 1)
		write(t, path, "")
		wait("truncated", 6*time.Second, 1, "a change of DIR/t.cf is not taken: it is empty")
		write(t, path, two)
		wait("whole, but a directory is away", 30*time.Second, 1,
			"DIR/t.cf is not in force: Error ["+strconv.Itoa(os.Getpid())+"] reading file DIR/t.cf at line 8: unable to open monitorfile DIR/away/monitor: No such file or directory")
		if err := os.Mkdir(dir+"/away", 0o755); err != nil {
			t.Fatal(err)
		}
		wait("the directory is there", 10*time.Second, 2)
		write(t, path, globals+"# nothing\n")
		wait("without services", 10*time.Second, 0)
		stop()
	})
	log := strings.ReplaceAll(out.String(), dir, "DIR")
	for line, times := range map[string]int{
		"A change of DIR/t.cf is not taken: it is empty":    1,
		"unable to open monitorfile DIR/away/monitor":       1,
		"Configuration file 'DIR/t.cf' can be used again":   1,
		"No longer so: a change of DIR/t.cf is not taken":   1,
		"Configuration file 'DIR/t.cf' has changed on disk": 2,
	} {
		if got := strings.Count(log, line); got != times {
			t.Errorf("the log has %q %d times, want %d:\n%s", line, got, times, log)
		}
	}
}

// TestEndsOnDisk has an order end: the file has it no more, so that neither a crash nor
// another time of day brings it back.
func TestEndsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	write(t, path, "supervised=yes\nmonitorlog=none\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n")
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		d, _, stop := runFake(t, path, &out)
		kept := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			list, bad, err := status.ReadOverrides(path + ".json")
			if len(list) != want || bad != nil || err != nil {
				t.Errorf("%s: the file has %v, %v, %v, want %d orders", when, list, bad, err, want)
			}
		}
		time.Sleep(time.Second)
		for _, order := range []report.Order{{Verb: report.Drain, Real: "10.1.0.1", For: 2 * time.Second, By: "root"}} {
			if _, _, err := d.director.Obey(t.Context(), order); err != nil {
				t.Fatal(err)
			}
		}
		d.status.KeepOverrides()
		kept("after the order", 1)
		time.Sleep(4 * time.Second)
		kept("after its end", 0)
		stop()
	})
}
