package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A lockedBuffer is a log.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

// take is the text since the last call.
func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// A zone has the addresses of names, and which of them are down.
type zone struct {
	mu    sync.Mutex
	addrs map[string]string // separated by blanks
	err   error
	down  string // addresses
}

func (z *zone) change(f func(z *zone)) {
	z.mu.Lock()
	defer z.mu.Unlock()
	f(z)
}

func (z *zone) lookup(_ context.Context, name string, _ bool) ([]conf.Found, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.err != nil {
		return nil, z.err
	}
	var found []conf.Found
	for addr := range strings.FieldsSeq(z.addrs[name]) {
		found = append(found, conf.Found{Addr: netip.MustParseAddr(addr)})
	}
	return found, nil
}

func (z *zone) isDown(asked string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.ContainsFunc(strings.Fields(z.down), func(addr string) bool { return strings.Contains(asked, addr) })
}

// inService are the destinations of a table with a weight, by virtual service.
func inService(t *testing.T, table ipvs.Table) string {
	t.Helper()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range entries {
		for _, dst := range e.Destinations {
			if dst.Weight > 0 {
				words = append(words, fmt.Sprintf("%s/%s", e.Service.Key.Addr, dst.AddrPort.Addr()))
			}
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// destination finds a destination of a table.
func destination(t *testing.T, table ipvs.Table, at string) (ipvs.Service, ipvs.Destination) {
	t.Helper()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		for _, dst := range e.Destinations {
			if dst.AddrPort.String() == at {
				return e.Service, dst
			}
		}
	}
	t.Fatalf("there is no destination %s", at)
	return ipvs.Service{}, ipvs.Destination{}
}

func weightOf(t *testing.T, table ipvs.Table, at string) int {
	t.Helper()
	_, dst := destination(t, table, at)
	return dst.Weight
}

// weigh changes a weight by hand.
func weigh(t *testing.T, table ipvs.Table, at string, weight int) {
	t.Helper()
	service, dst := destination(t, table, at)
	dst.Weight = weight
	if err := table.Apply(ipvs.Change{Op: ipvs.EditDestination, Service: service, Destination: dst}); err != nil {
		t.Fatal(err)
	}
}

// TestNamesMove has the addresses of names change under a daemon: the table follows, as at
// a reload of that line alone, and nothing else of the files is read.
func TestNamesMove(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.cf")
	secret := func() {
		if err := os.WriteFile(dir+"/secret", []byte("one\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secret()
	text := `supervised=yes
monitorlog=none
checkinterval=1
resolve=60
virtual=10.0.0.1:80
    real=web1:80 masq
    real=10.1.0.2:80 masq
    fallback=127.0.0.1:80 masq
    service=http
virtual=10.0.0.2:80
    real=pool:80 masq
    resolveall=yes
    checktype=connect
    quiescent=yes
virtual=10.0.0.3:80
    real=10.3.0.1:80 masq
    service=pop
    login="x"
    passwdfile=` + dir + `/secret
`
	write(t, path, text)
	z := &zone{addrs: map[string]string{"web1": "10.1.0.1", "pool": "10.2.0.1 10.2.0.2"}}
	var out lockedBuffer
	synctest.Test(t, func(t *testing.T) {
		f := fake{lookup: z.lookup, down: z.isDown}
		d, table, stop := f.run(t, path, &out)
		expect := func(when string, pause time.Duration, want string, log ...string) {
			t.Helper()
			out.take()
			time.Sleep(pause)
			synctest.Wait()
			if got := inService(t, table); got != want {
				t.Errorf("%s: in service are\n%s, want\n%s", when, got, want)
			}
			text := out.take()
			for _, line := range log {
				if !strings.Contains(text, line) {
					t.Errorf("%s: the log lacks %q:\n%s", when, line, text)
				}
			}
			if len(log) == 0 && text != "" {
				t.Errorf("%s: the log has\n%s", when, text)
			}
			if when != "a reload meanwhile" && strings.Contains(text, "Changed virtual server: 10.0.0.3:80") {
				t.Errorf("%s: a virtual service without names is reported:\n%s", when, text)
			}
		}
		const third = " 10.0.0.3/10.3.0.1"
		time.Sleep(10 * time.Second)
		writes := table.Writes()
		expect("at first", 5*time.Minute, "10.0.0.1/10.1.0.1 10.0.0.1/10.1.0.2 10.0.0.2/10.2.0.1 10.0.0.2/10.2.0.2"+third)
		if table.Writes() != writes {
			t.Errorf("names without a change have written the table %d times", table.Writes()-writes)
		}

		if err := os.Remove(dir + "/secret"); err != nil { // it is not read
			t.Fatal(err)
		}
		write(t, path, "nonsense\n") // nor is the file
		weigh(t, table, "10.3.0.1:80", 7)
		time.Sleep(15 * time.Second)
		z.change(func(z *zone) { z.addrs["web1"], z.down = "10.1.0.9", "10.1.0.9" })
		expect("a new address that is down", time.Minute, "10.0.0.1/10.1.0.2 10.0.0.2/10.2.0.1 10.0.0.2/10.2.0.2"+third,
			"Name web1 of tcp:10.0.0.1:80 is at 10.1.0.9:80 now, and was at 10.1.0.1:80", "Changed virtual server: 10.0.0.1:80")
		if got := weightOf(t, table, "10.3.0.1:80"); got != 7 {
			t.Errorf("a weight that an operator has set by hand is %d, want 7: its virtual service has no names", got)
		}
		z.change(func(z *zone) { z.down = "" })
		expect("it is up", 5*time.Second, "10.0.0.1/10.1.0.2 10.0.0.1/10.1.0.9 10.0.0.2/10.2.0.1 10.0.0.2/10.2.0.2"+third, "Added real server: 10.1.0.9:80")

		z.change(func(z *zone) { z.addrs["pool"] = "10.2.0.2 10.2.0.3" })
		expect("a name of several", time.Minute, "10.0.0.1/10.1.0.2 10.0.0.1/10.1.0.9 10.0.0.2/10.2.0.2 10.0.0.2/10.2.0.3"+third,
			"Name pool of tcp:10.0.0.2:80 is at 10.2.0.2:80, 10.2.0.3:80 now, and was at 10.2.0.1:80, 10.2.0.2:80")

		all := inService(t, table)
		z.change(func(z *zone) { z.err = errors.New("SERVFAIL") })
		expect("the resolver fails", time.Minute, all, "Names of real servers cannot be looked up, and keep their addresses: pool (SERVFAIL), web1 (SERVFAIL)")
		expect("the next minutes", 3*time.Minute, all) // no line, but a fault
		if faults := d.outside.list(); len(faults) < 2 || !slices.ContainsFunc(faults, func(f report.Fault) bool { return f.What == "the name web1 of a real server cannot be looked up" }) {
			t.Errorf("the faults are %v", faults)
		}
		secret()
		write(t, path, strings.Replace(text, "real=10.1.0.2:80", "real=10.1.0.5:80", 1))
		f.signals <- unix.SIGHUP
		expect("a reload meanwhile", 5*time.Second, "10.0.0.1/10.1.0.5 10.0.0.1/10.1.0.9 10.0.0.2/10.2.0.2 10.0.0.2/10.2.0.3"+third, "Added real server: 10.1.0.5:80")
		z.change(func(z *zone) { z.err = nil; z.addrs["web1"] = "10.1.0.1" })
		expect("the resolver is back", time.Minute+5*time.Second, "10.0.0.1/10.1.0.1 10.0.0.1/10.1.0.5 10.0.0.2/10.2.0.2 10.0.0.2/10.2.0.3"+third,
			"Names of real servers can be looked up again: pool, web1", "web1 of tcp:10.0.0.1:80 is at 10.1.0.1:80 now")
		stop()
	})
}

// TestNamesNotTaken has the name of a virtual service unknown when that of a real server
// moves: nothing changes, with one line in the log, until both are known.
func TestNamesNotTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	write(t, path, "supervised=yes\nmonitorlog=none\ncheckinterval=1\nresolve=60\nvirtual=vip:80\n    real=web1:80 masq\n    service=http\n")
	z := &zone{addrs: map[string]string{"vip": "10.0.0.1", "web1": "10.1.0.1"}}
	synctest.Test(t, func(t *testing.T) {
		f, out := fake{lookup: z.lookup}, new(lockedBuffer)
		_, table, stop := f.run(t, path, out)
		time.Sleep(90 * time.Second)
		out.take()
		z.change(func(z *zone) { z.addrs = map[string]string{"web1": "10.1.0.2"} })
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := inService(t, table); got != "10.0.0.1/10.1.0.1" {
			t.Errorf("in service is %s", got)
		}
		if log := out.take(); strings.Count(log, "The addresses of names cannot be taken: ") != 1 {
			t.Errorf("the log has not one line of it:\n%s", log)
		}
		z.change(func(z *zone) { z.addrs["vip"] = "10.0.0.77" }) // which is not taken: it is no real server's
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if got := inService(t, table); got != "10.0.0.1/10.1.0.2" {
			t.Errorf("when both are known in service is %s", got)
		}
		stop()
	})
}

// TestOrdersAndNames drains by name and by address while the addresses change.
func TestOrdersAndNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	write(t, path, `supervised=yes
monitorlog=none
checkinterval=1
resolve=60
resolveall=yes
virtual=10.0.0.1:80
    real=pool:80 masq
    real=10.1.0.7:80 masq
    service=http
`)
	z := &zone{addrs: map[string]string{"pool": "10.1.0.1 10.1.0.2"}}
	synctest.Test(t, func(t *testing.T) {
		f := fake{lookup: z.lookup}
		d, table, stop := f.run(t, path, new(lockedBuffer))
		order := func(verb, real string) {
			t.Helper()
			if _, _, err := d.director.Obey(t.Context(), report.Order{Verb: verb, Real: real, By: "test"}); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(when, want string) {
			t.Helper()
			time.Sleep(70 * time.Second)
			synctest.Wait()
			if got := inService(t, table); got != want {
				t.Errorf("%s: in service are %q, want %q", when, got, want)
			}
		}
		move := func(addrs string) { z.change(func(z *zone) { z.addrs["pool"] = addrs }) }
		expect("at first", "10.0.0.1/10.1.0.1 10.0.0.1/10.1.0.2 10.0.0.1/10.1.0.7")
		order(report.Drain, "pool")
		expect("drained by name", "10.0.0.1/10.1.0.7")
		move("10.1.0.2 10.1.0.3")
		expect("a new address of the name", "10.0.0.1/10.1.0.7")
		if n := len(d.director.Overrides()); n != 2 {
			t.Errorf("%d overrides, want those of the two addresses: %v", n, d.director.Overrides())
		}
		order(report.Enable, "10.1.0.3")
		expect("one of them is enabled", "10.0.0.1/10.1.0.3 10.0.0.1/10.1.0.7")
		move("10.1.0.2 10.1.0.3 10.1.0.4")
		expect("the order is for an address now", "10.0.0.1/10.1.0.3 10.0.0.1/10.1.0.4 10.0.0.1/10.1.0.7")
		move("10.1.0.3 10.1.0.4")
		expect("the address leaves", "10.0.0.1/10.1.0.3 10.0.0.1/10.1.0.4 10.0.0.1/10.1.0.7")
		move("10.1.0.2 10.1.0.3 10.1.0.4")
		expect("it comes back", "10.0.0.1/10.1.0.3 10.0.0.1/10.1.0.4 10.0.0.1/10.1.0.7")
		order(report.Enable, "pool")
		expect("enabled by name", "10.0.0.1/10.1.0.2 10.0.0.1/10.1.0.3 10.0.0.1/10.1.0.4 10.0.0.1/10.1.0.7")
		if over := d.director.Overrides(); len(over) > 0 {
			t.Errorf("overrides are left: %v", over)
		}
		stop()
	})
}
