package director

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A refusableField is a change of a file: lines of the virtual service, what
// follows the first real server's address, or another fallback.
type refusableField struct {
	name, service, real, fallback string
	want                          string // the warning
}

// refusable is a line for every field that a kernel, or ipvsadm in its place, may
// refuse, and what check and reload warn of. want is "" where ipvsadm takes it.
var refusable = []refusableField{
	{name: "persistent 0", service: "persistent=0", want: "3: persistent = 0 is refused by the kernel: the virtual service will not be there, or keep what it has"},
	{name: "persistent too long", service: "persistent=2678401", want: "3: the kernel will refuse persistent: persistent timeout 2678401 is not in 1 to 2678400 seconds"},
	{name: "persistent far too long", service: "persistent=99999999999999999999", want: "3: the kernel will refuse persistent: persistent timeout 18446744073709551615 is not in 1 to 2678400 seconds"},
	{name: "netmask with gaps", service: "persistent=600;netmask=255.0.255.0"},
	{name: "netmask with zeros", service: "persistent=600;netmask=255.255.255.000"},
	{name: "netmask in octal", service: "persistent=600;netmask=0377.255.0.0"},
	{name: "netmask above 255", service: "persistent=600;netmask=256.255.255.0", want: "4: the kernel will refuse netmask: netmask 256.255.255.0: 256 is not a number from 0 to 255"},
	{name: "netmask no octal", service: "persistent=600;netmask=255.255.08.0", want: "4: the kernel will refuse netmask: netmask 255.255.08.0: 08 is no octal number from 0 to 0377; a number that begins with 0 is octal"},
	{name: "flags of another scheduler", service: "scheduler=mh;schedflags=sh-port", want: "4: the kernel will refuse schedflags: scheduler flag sh-port is for scheduler sh, not for mh"},
	{name: "unknown flags", service: "schedflags=frob", want: "3: the kernel will refuse schedflags: unknown scheduler flag \"frob\": known are sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3"},
	{name: "unknown scheduler", service: "scheduler=frob", want: "3: the kernel will refuse scheduler: Linux has none of the name frob"},
	{name: "scheduler's name too long", service: "scheduler=averylongschedulername", want: "3: the kernel will refuse scheduler: Linux has none of the name averylongschedulername"},
	{name: "lower threshold alone", real: "l:5", want: "4: the kernel refuses a lower threshold without an upper one: 10.1.0.1:80"},
	{name: "lower above upper", real: "u:5 l:6", want: "4: the kernel will refuse real server 10.1.0.1:80: lower threshold 6 is above the upper threshold 5"},
	{name: "weight too high", real: "3000000000", want: "4: the kernel will refuse real server 10.1.0.1:80: weight 3000000000 is not in 0 to 2147483647"},
	{name: "fallback not unicast", fallback: "fallback=224.0.0.1:80 masq", want: "6: the kernel will refuse the fallback: 224.0.0.1 is not a unicast address"},
}

// file is a configuration with the refusable line, or without.
func refusableFile(service, real, fallback string) string {
	var b strings.Builder
	b.WriteString("checkinterval=5\nvirtual=10.0.0.1:80\n")
	for line := range strings.SplitSeq(service, ";") {
		if line != "" {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if service == "" {
		b.WriteString("    scheduler=rr\n")
	}
	fmt.Fprintf(&b, "    real=10.1.0.1:80 masq %s\n    real=10.1.0.2:80 masq\n", real)
	if fallback == "" {
		fallback = "fallback=127.0.0.1:80 masq"
	}
	fmt.Fprintf(&b, "    %s\n    service=http\n", fallback)
	return b.String()
}

// Reading a file warns of every refused field with its line, and the file is usable;
// no warning is about a field that ipvsadm takes.
func TestRefusals(t *testing.T) {
	for _, f := range refusable {
		t.Run(f.name, func(t *testing.T) {
			text := refusableFile(f.service, f.real, f.fallback)
			cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director", Refusals: table.Refusals})
			if err != nil {
				t.Fatalf("the file is refused: %v\n%s", err, text)
			}
			var got []string
			for _, w := range cfg.Warnings {
				got = append(got, fmt.Sprintf("%d: %s", w.Line, w.Text))
			}
			if strings.Join(got, "\n") != f.want {
				t.Errorf("warnings %q, want %q\n%s", got, f.want, text)
			}
		})
	}
}

// A live is a director at work on a table, with settable real servers,
// and a log.
type live struct {
	t     *testing.T
	table ipvs.Table
	d     *Director
	end   func()
	text  string

	mu   sync.Mutex
	down map[string]bool
	log  []string
}

// goLive starts a director with a text and real servers that are down.
func goLive(t *testing.T, table ipvs.Table, text string, down ...string) *live {
	t.Helper()
	l := &live{t: t, table: table, down: map[string]bool{}}
	for _, r := range down {
		l.down[r] = true
	}
	l.d = New(Options{
		Table:       table,
		Maintenance: maintenance.Options{NamesOf: func(context.Context, netip.Addr) ([]string, error) { return nil, nil }},
		Sink:        func(e event.Event) { l.note(report.NoteOf(e).Text) },
		Log:         func(format string, args ...any) { l.note(fmt.Sprintf(format, args...)) },
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, attempts int) engine.Result {
			l.mu.Lock()
			defer l.mu.Unlock()
			for r, down := range l.down {
				if down && strings.Contains(c.String(), r) {
					return engine.Result{Err: errors.New("down"), Attempts: attempts}
				}
			}
			return engine.Result{Attempts: 1}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.d.Run(ctx, l.parse(text)) }()
	<-l.d.Ready()
	l.end = func() { cancel(); <-ended }
	return l
}

func (l *live) parse(text string) *conf.Config {
	l.t.Helper()
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director", Refusals: table.Refusals})
	if err != nil {
		l.t.Fatal(err)
	}
	return cfg
}

func (l *live) note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, line)
}

// set lets real servers be up or down, and returns when the director knows.
func (l *live) set(down bool, reals ...string) {
	l.t.Helper()
	l.mu.Lock()
	for _, r := range reals {
		l.down[r] = down
	}
	l.mu.Unlock()
	if _, err := l.d.Recheck(l.t.Context(), "", ""); err != nil {
		l.t.Fatal(err)
	}
	l.await("the verdicts", func() bool {
		snap, err := l.d.Snapshot(l.t.Context())
		if err != nil {
			l.t.Fatal(err)
		}
		for _, v := range snap.Virtuals {
			for _, r := range v.Reals {
				if slices.Contains(reals, r.Name) && r.Up == down {
					return false
				}
			}
		}
		return true
	})
}

// await waits until ok.
func (l *live) await(what string, ok func() bool) {
	l.t.Helper()
	if !eventually.Holds(ok) {
		l.t.Errorf("%s: not within %v; the log:\n%s\nthe table:\n%s", what, eventually.Limit, l.logged(), saved(l.t, l.table))
	}
}

func (l *live) reload(text string) {
	l.t.Helper()
	if err := l.d.Reload(l.t.Context(), l.parse(text)); err != nil {
		l.t.Fatal(err)
	}
}

// logged is the lines since it was called last.
func (l *live) logged() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.log, "\n")
	l.log = nil
	return text
}

// saved is the table as "ipvsadm -Sn" prints it.
func saved(t *testing.T, table ipvs.Table) string {
	t.Helper()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := ipvs.Save(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A refused field never stops the others: every field on a service at
// work. Both real servers die, and the fallback has their place; they come back.
// The table agrees with the log.
func TestRefusedOnLiveService(t *testing.T) {
	for _, f := range refusable {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { refusedOnLiveService(t, ipvs.NewMemory(), f) })
		})
	}
}

// TestRefusedByKernel is the same on the kernel's table.
func TestRefusedByKernel(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out) // without lo the kernel takes no IPv4 address for unicast
	}
	table, err := ipvs.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for _, f := range refusable {
		t.Run(f.name, func(t *testing.T) { refusedOnLiveService(t, table, f) })
	}
}

// TestRefusedWhileQuiescent: refused thresholds and weights do not keep a dead
// real server in service where it stays in the table.
func TestRefusedWhileQuiescent(t *testing.T) {
	for _, f := range refusable {
		if f.real == "" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := ipvs.NewMemory()
				l := goLive(t, table, "quiescent=yes\n"+refusableFile("", "", ""))
				defer l.end()
				time.Sleep(time.Minute)
				l.reload("quiescent=yes\n" + refusableFile("", f.real, ""))
				l.set(true, "10.1.0.1:80", "10.1.0.2:80")
				time.Sleep(time.Minute)
				if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 0, 10.1.0.2:80 -w 0, 127.0.0.1:80 -w 1"; got != want {
					t.Errorf("destinations %q, want %q; the log:\n%s", got, want, l.logged())
				}
			})
		})
	}
}

func refusedOnLiveService(t *testing.T, table ipvs.Table, f refusableField) {
	l := goLive(t, table, refusableFile("", "", ""))
	defer l.end()
	const both = "10.1.0.1:80 -w 1, 10.1.0.2:80 -w 1"
	holds := func(want string) {
		t.Helper()
		l.await("destinations "+want, func() bool { return destinations(saved(t, table)) == want })
	}
	holds(both)
	before := saved(t, table)
	l.logged()
	l.reload(refusableFile(f.service, f.real, f.fallback))
	if f.service != "" && f.want != "" {
		if after := saved(t, table); after != before {
			t.Errorf("after the reload (-want +got):\n%s", cmp.Diff(before, after))
		}
		if log := l.logged(); strings.Contains(log, "Changed virtual server") || !strings.Contains(log, "Refused by the kernel") {
			t.Errorf("the log of a refused change:\n%s", log)
		}
	}
	l.set(true, "10.1.0.1:80", "10.1.0.2:80")
	if f.fallback != "" {
		if got := destinations(saved(t, table)); strings.Count(got, ":") != 1 { // the order of deletion is not logged
			t.Errorf("the fallback is refused: destinations %q, want the last real server", got)
		}
		if log := l.logged(); strings.Contains(log, "takes over") {
			t.Errorf("the fallback is not in the table, but the log has\n%s", log)
		}
	} else {
		holds("127.0.0.1:80 -w 1")
	}
	l.set(false, "10.1.0.1:80")
	if f.real != "" {
		holds("127.0.0.1:80 -w 1") // it is refused: the fallback stays
	} else {
		holds("10.1.0.1:80 -w 1")
	}
	l.set(false, "10.1.0.2:80")
	if f.real != "" {
		holds("10.1.0.2:80 -w 1")
	} else {
		holds(both)
	}
	l.reload(refusableFile("", "", ""))
	holds(both)
	if after := saved(t, table); after != before {
		t.Errorf("after a reload that takes it back (-want +got):\n%s", cmp.Diff(before, after))
	}
}

// destinations are those of a saved table: address, port and weight.
func destinations(table string) string {
	var list []string
	for line := range strings.Lines(table) {
		if rest, ok := strings.CutPrefix(line, "-a -t 10.0.0.1:80 -r "); ok {
			words := strings.Fields(rest)
			list = append(list, words[0]+" -w "+words[slices.Index(words, "-w")+1])
		}
	}
	return strings.Join(list, ", ")
}
