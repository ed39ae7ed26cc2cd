package director

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A blindTable is a table in memory that cannot be read while blind.
type blindTable struct {
	*ipvs.Memory
	blind  atomic.Bool
	writes atomic.Int64
}

var errBlind = errors.New("netlink: no buffer space")

func newBlindTable() *blindTable {
	b := &blindTable{Memory: ipvs.NewMemory()}
	b.OnChange = func(ipvs.Change) { b.writes.Add(1) }
	return b
}

func (b *blindTable) Read() ([]ipvs.Entry, error) {
	if b.blind.Load() {
		return nil, errBlind
	}
	return b.Memory.Read()
}

// ReadEach hides the one of Memory, which is never blind.
func (b *blindTable) ReadEach(use func(*ipvs.Entry)) error {
	if b.blind.Load() {
		return errBlind
	}
	return b.Memory.ReadEach(use)
}

const unreadText = `checkinterval=5
quiescent=yes
cleanstop=no
virtual=10.0.0.1:80
    real=10.1.0.1:80 masq
    real=10.1.0.2:80 masq
    service=http
`

// unreadMore is unreadText with a virtual service that the table has too.
const unreadMore = unreadText + `virtual=10.0.0.2:80
    real=10.1.0.3:80 masq
    service=http
`

// leftBy is a table as a daemon with the text leaves it, all in service.
func leftBy(t *testing.T, text string) *blindTable {
	t.Helper()
	table := newBlindTable()
	l := goLive(t, table, text)
	l.await("all in service", func() bool { return !strings.Contains(saved(t, table), "-w 0") })
	l.end()
	table.writes.Store(0)
	return table
}

const startPatience = table.StartPatience

// A start waits for a table that cannot be read, and writes nothing before: all stay in
// service whom an earlier daemon has left there.
func TestUnreadableAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := leftBy(t, unreadText)
		before := saved(t, table)
		table.blind.Store(true)
		time.AfterFunc(startPatience/2, func() { table.blind.Store(false) })
		l := goLive(t, table, unreadText)
		l.set(false, "10.1.0.1:80", "10.1.0.2:80")
		l.end()
		if n := table.writes.Load(); n > 0 || saved(t, table) != before {
			t.Errorf("%d writes, the table is\n%swant no write and\n%s", n, saved(t, table), before)
		}
		if n := strings.Count(l.logged(), "Reading the IPVS table failed"); n != 1 {
			t.Errorf("%d lines of the log say it, want one", n)
		}
	})
}

// A start gives up after startPatience, and has changed nothing. A signal ends it
// sooner.
func TestUnreadableForLong(t *testing.T) {
	for _, patience := range []time.Duration{startPatience / 2, 2 * startPatience} {
		synctest.Test(t, func(t *testing.T) {
			table := leftBy(t, unreadText)
			table.blind.Store(true)
			l := &live{t: t}
			d := New(Options{Table: table, Sink: func(event.Event) {}})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := d.Run(ctx, l.parse(unreadText))
			if stopped := patience < startPatience; stopped != (err == nil) || !stopped && !errors.Is(err, errBlind) {
				t.Errorf("stopped after %s: %v", patience, err)
			}
			if n := table.writes.Load(); n > 0 {
				t.Errorf("stopped after %s: %d writes", patience, n)
			}
		})
	}
}

// A reload that cannot read the table keeps the believed state, and leaves a
// virtual service that it adds alone until the table can be read: there may be real
// servers in service.
func TestUnreadableAtReload(t *testing.T) {
	for _, driftCheck := range []string{"", "driftcheck=0\n"} {
		synctest.Test(t, func(t *testing.T) {
			table := leftBy(t, unreadMore)
			before := saved(t, table)
			l := goLive(t, table, driftCheck+unreadText)
			l.set(false, "10.1.0.1:80", "10.1.0.2:80")
			table.blind.Store(true)
			for range 2 {
				l.reload(driftCheck + unreadMore)
				time.Sleep(3 * retryInterval)
			}
			if n := table.writes.Load(); n > 0 || saved(t, table.Memory) != before {
				t.Errorf("%q: %d writes while the table is unreadable; it is\n%swant no write and\n%s\nthe log:\n%s",
					driftCheck, n, saved(t, table.Memory), before, l.logged())
			}
			l.set(true, "10.1.0.2:80") // a dead one is taken out all the same
			if !strings.Contains(saved(t, table.Memory), "10.1.0.2:80 -m -w 0") {
				t.Errorf("%q: a dead real server stays in service:\n%s", driftCheck, saved(t, table.Memory))
			}
			l.set(false, "10.1.0.2:80")
			service := ipvs.Service{Key: ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort("10.0.0.1:80"))}
			alive := ipvs.Destination{AddrPort: netip.MustParseAddrPort("10.1.0.1:80")}
			if err := table.Apply(ipvs.Change{Op: ipvs.DeleteDestination, Service: service, Destination: alive}); err != nil {
				t.Fatal(err)
			}
			table.blind.Store(false)
			l.set(true, "10.1.0.3:80") // the one that was added is steered now
			l.await("the dead one is out", func() bool { return strings.Contains(saved(t, table), "10.1.0.3:80 -m -w 0") })
			time.Sleep(3 * retryInterval)
			if back := strings.Contains(saved(t, table), alive.AddrPort.String()); back != (driftCheck == "") {
				t.Errorf("%q: one in service that was deleted by hand is back: %v", driftCheck, back)
			}
			l.end()
		})
	}
}

// A daemon that ends while it is not known whether the table has a virtual service of
// its own remembers that service.
func TestUnreadableAtEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := leftBy(t, unreadMore)
		l := goLive(t, table, unreadText)
		table.blind.Store(true)
		l.reload(unreadMore)
		l.end()
		if n := len(l.d.Held()); n != 2 {
			t.Errorf("%d virtual services are remembered, want 2", n)
		}
	})
}

// A reload adds a real server, which the kernel does and answers with an error, and the next reload takes it out of
// the file. Its entry is ours: it is no external change, and no fallback command has put it there. It leaves, also
// where the table cannot be read meanwhile.
func TestReloadKeepsDoubt(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		blind bool
		down  []string
		want  string
	}{
		"the table cannot be read": {unreadText, true, nil, "[10.1.0.1:80 10.1.0.2:80]"},
		"a fallback command":       {unreadText + "    fallbackcommand=/bin/true\n", false, []string{"10.1.0.1:80", "10.1.0.2:80"}, "[10.1.0.1:80 10.1.0.2:80]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &lossyTable{blindTable: newBlindTable()}
				l := goLive(t, b, tt.text, append(tt.down, "10.1.0.9:80")...)
				defer l.end()
				time.Sleep(time.Minute)
				b.blind.Store(tt.blind)
				b.loses.Store(true)
				l.reload(strings.Replace(tt.text, "10.1.0.2:80", "10.1.0.9:80", 1))
				l.reload(tt.text)
				b.loses.Store(false)
				b.blind.Store(false)
				time.Sleep(time.Minute)
				entries, err := b.Read()
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, d := range entries[0].Destinations {
					got = append(got, d.AddrPort.String())
				}
				if fmt.Sprint(got) != tt.want {
					t.Errorf("the table has %v, want %s; the log:\n%s", got, tt.want, strings.TrimSpace(l.logged()))
				}
			})
		})
	}
}

// A lossyTable makes changes, and while it loses answers with an error.
type lossyTable struct {
	*blindTable
	loses atomic.Bool
}

func (b *lossyTable) Apply(c ipvs.Change) error {
	err := b.blindTable.Apply(c)
	if b.loses.Load() {
		return errBlind
	}
	return err
}

// While the table cannot be read, a reload takes a real server out of the file, and the next one has it again. The
// deletion of its entry was answered with an error, and made: the new one gets no connections before its first good
// check.
func TestReloadDoesNotAdoptDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &lossyTable{blindTable: newBlindTable()}
		l := goLive(t, b, unreadText)
		defer l.end()
		time.Sleep(time.Minute)
		b.blind.Store(true)
		b.loses.Store(true)
		l.reload(strings.Replace(unreadText, "    real=10.1.0.2:80 masq\n", "", 1))
		b.loses.Store(false)
		l.set(true, "10.1.0.2:80")
		var mu sync.Mutex // of in
		var in []string
		b.OnChange = func(c ipvs.Change) {
			mu.Lock()
			defer mu.Unlock()
			if c.Op > ipvs.DeleteService && c.Destination.Weight > 0 {
				in = append(in, c.String())
			}
		}
		l.reload(unreadText)
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(in) > 0 {
			t.Errorf("put into service: %s; the log:\n%s", in, strings.TrimSpace(l.logged()))
		}
	})
}
