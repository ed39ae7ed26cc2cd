package announce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A net is a network and a command in memory, with all that is done to them.
type fakeNet struct {
	mu      sync.Mutex
	did     []string
	logged  []string
	devices map[string]map[netip.Addr]bool
	broken  error         // of commands and devices
	takes   time.Duration // a command
	owners  map[netip.Addr]string
}

func newNet() *fakeNet { return &fakeNet{devices: map[string]map[netip.Addr]bool{}} }

// locked changes or reads what the announcer's goroutine uses, too.
func (n *fakeNet) locked(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *fakeNet) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.did = append(n.did, fmt.Sprintf(format, args...))
}

func (n *fakeNet) took() string {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	did := strings.Join(n.did, "; ")
	n.did = nil
	return did
}

func (n *fakeNet) log(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.logged = append(n.logged, fmt.Sprintf(format, args...))
}

func (n *fakeNet) run(ctx context.Context, c command.Command) error {
	n.note("%s", strings.ReplaceAll(c.Shell, "10.0.0.", "."))
	var takes time.Duration
	n.locked(func() { takes = n.takes })
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(takes):
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.broken
}

func (n *fakeNet) Ready(device string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.devices[device] == nil {
		n.devices[device] = map[netip.Addr]bool{}
		n.did = append(n.did, "make "+device)
	}
	return n.broken
}

func (n *fakeNet) Addresses(device string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Keys(n.devices[device])), nil
}

func (n *fakeNet) Add(device string, addrs []netip.Addr) (int, error) {
	for _, addr := range addrs {
		n.note("+%s@%s", strings.TrimPrefix(addr.String(), "10.0.0"), device)
		n.mu.Lock()
		n.devices[device][addr] = true
		n.mu.Unlock()
	}
	return len(addrs), nil
}

func (n *fakeNet) Remove(device string, addrs []netip.Addr) error {
	for _, addr := range addrs {
		n.note("-%s@%s", strings.TrimPrefix(addr.String(), "10.0.0"), device)
		n.mu.Lock()
		delete(n.devices[device], addr)
		n.mu.Unlock()
	}
	return nil
}

func (n *fakeNet) announcer(record string) *Announcer {
	return New(Options{Log: n.log, Record: record, Run: n.run, Network: n, Owners: n.owned})
}

func (n *fakeNet) owned() (owners map[netip.Addr]string) {
	n.locked(func() { owners = n.owners })
	return owners
}

// vip is 10.0.0.N.
func vip(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}) }

// states are those of addresses: "1 -2" is that the first is served and the second is not.
func states(text string) (list []report.AddressState) {
	for word := range strings.FieldsSeq(text) {
		name, down := strings.CutPrefix(word, "-")
		list = append(list, report.AddressState{Address: netip.MustParseAddr("10.0.0." + name), Served: !down})
	}
	return list
}

func stayNone(netip.Addr) bool { return false }

func ofFile(c, device string, vips ...int) Settings {
	s := Settings{Command: "cmd", Device: device}
	if c == "" {
		s.Command = ""
	}
	for _, n := range vips {
		s.Addresses = append(s.Addresses, vip(n))
	}
	return s
}

// TestCommand follows two addresses from the start to the stop.
func TestCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		a := n.announcer("")
		a.Use(ofFile("cmd", "", 1, 2, 3))
		a.Start()
		expect := func(when, want string) {
			t.Helper()
			if got := n.took(); got != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		expect("before the states are known", "")
		a.Set(states("-1 2 -3"))
		expect("at the start", "cmd down .1 .3; cmd up .2")
		a.Set(states("1 2 3"))
		expect("all are served", "cmd up .1 .3")
		a.Set(states("1 2 3"))
		expect("no news", "")
		time.Sleep(59 * time.Second)
		expect("within a minute", "")
		time.Sleep(2 * time.Second)
		expect("each minute", "cmd up .1 .2 .3")
		a.Set(states("1 -2"))
		expect("one is not served, one has left the file", "cmd down .2 .3")
		if !a.Withdraw(t.Context(), stayNone) {
			t.Error("nothing was withdrawn")
		}
		expect("the stop", "cmd down .1 .2 .3")
		a.Set(states("1 2"))
		expect("after the stop", "")
		if len(n.logged) > 0 {
			t.Errorf("logged: %q", n.logged)
		}
	})
}

// TestCommandSays has the reason of a command that fails, without its secrets.
func TestCommandSays(t *testing.T) {
	script := filepath.Join(t.TempDir(), "cmd")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no BGP session for hunter2secret\necho more\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	n := newNet()
	a := New(Options{Log: n.log, Network: n})
	a.Use(Settings{Command: secret.Command(script + " --password=hunter2secret")})
	a.Set(states("-1"))
	a.step(t.Context())
	if want := "exit status 3: no BGP session for ***; it is called again in 10 s"; len(n.logged) != 1 || !strings.HasSuffix(n.logged[0], want) {
		t.Errorf("logged %q, want %s", n.logged, want)
	}
}

// TestCommandFails has a command fail, and hang.
func TestCommandFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		n.locked(func() { n.broken = errors.New("exit status 1") })
		a := n.announcer("")
		a.Use(ofFile("cmd", "", 1, 2))
		a.Start()
		a.Set(states("1 -2"))
		time.Sleep(65 * time.Second)
		if got, want := n.took(), strings.Repeat("cmd down .2; cmd up .1; ", 7); got+"; " != want {
			t.Errorf("in 65 s: %q, want %q", got, want)
		}
		if len(n.logged) != 2 || len(a.Faults()) != 1 || !strings.Contains(n.logged[0], "exit status 1") {
			t.Errorf("logged %q, faults %v: want a line each minute, and the fault", n.logged, a.Faults())
		}
		a.Set(states("1 2"))
		if got := n.took(); got != "cmd up .1 .2" {
			t.Errorf("another state after a failure: %q, want it at once", got)
		}
		n.locked(func() { n.broken = nil })
		time.Sleep(11 * time.Second)
		if got := n.took(); got != "cmd up .1 .2" || len(a.Faults()) != 0 {
			t.Errorf("after the next try: %q, faults %v", got, a.Faults())
		}
		n.locked(func() { n.takes = time.Hour })
		a.Set(states("1 -2"))
		time.Sleep(time.Second)
		a.Set(states("-1 2")) // waits for its turn
		if got := n.took(); got != "cmd down .2" {
			t.Errorf("while a call hangs: %q", got)
		}
		time.Sleep(5 * time.Second)
		if got := n.took(); got != "cmd down .1" { // 2 is up for all that the command knows
			t.Errorf("5 s after that: %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		began := time.Now()
		a.Withdraw(ctx, stayNone)
		if took := time.Since(began); took != commandTime {
			t.Errorf("the stop took %v, want %v", took, commandTime)
		}
		if last := n.logged[len(n.logged)-1]; !strings.HasPrefix(last, "Error: vipcommand failed: cmd down: ended after 5s") {
			t.Errorf("the last line is %q", last)
		}
	})
}

// TestDevice has addresses of the file, of an earlier daemon and of others on a device.
func TestDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record := filepath.Join(t.TempDir(), "announced.json")
		n := newNet()
		a := n.announcer(record)
		start := func(vips ...int) {
			a = n.announcer(record)
			a.Use(ofFile("", "lvs0", vips...))
			a.Start()
		}
		expect := func(when, want string) {
			t.Helper()
			if got := n.took(); got != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		start(1, 2, 3)
		a.Set(states("-1 -2 -3"))
		expect("at the start", "")
		a.Set(states("1 -2 3"))
		expect("two are served", "make lvs0; +.1@lvs0; +.3@lvs0")
		a.Leave()
		n.devices["lvs0"][vip(9)] = true // of others
		n.devices["lvs0"][vip(2)] = true // of the file, by hand
		start(1, 2)
		a.Set(states("1 2"))
		expect("a restart with one address less", "-.3@lvs0")
		a.Set(states("1 -2"))
		expect("the one by hand is ours", "-.2@lvs0")
		n.devices["lvs0"][vip(2)] = true // of keepalived, which uses the same device
		n.locked(func() { n.owners = map[netip.Addr]string{vip(2): "/etc/keepalived/keepalived.conf"} })
		a.Set(states("1 2"))
		a.Set(states("1 -2"))
		expect("keepalived has added it", "")
		delete(n.devices["lvs0"], vip(2))
		a.Set(states("1 2"))
		expect("keepalived has it", "")
		if !slices.ContainsFunc(a.Faults(), func(f report.Fault) bool { return strings.Contains(f.Error, "keepalived") }) {
			t.Errorf("faults: %v", a.Faults())
		}
		n.locked(func() { n.owners[vip(3)] = "/etc/keepalived/other.conf" })
		a.Use(ofFile("", "lvs0", 1, 2, 3))
		a.Set(states("1 2 3"))
		expect("it has two", "")
		both := "2 (/etc/keepalived/keepalived.conf), " + vip(3).String() + " (/etc/keepalived/other.conf)"
		if !slices.ContainsFunc(a.Faults(), func(f report.Fault) bool { return strings.HasSuffix(f.Error, both) }) {
			t.Errorf("faults: %v, want one that ends with %s", a.Faults(), both)
		}
		a.Use(ofFile("", "lvs0", 1, 2))
		a.Set(states("1 -2"))
		if expect("it is not served", ""); len(a.Faults()) != 0 {
			t.Errorf("faults: %v", a.Faults())
		}
		a.Set(states("1 2"))
		a.Use(ofFile("", "lvs1", 1, 2))
		expect("another device", "make lvs1; +.1@lvs1; -.1@lvs0")
		if !a.Withdraw(t.Context(), stayNone) {
			t.Error("nothing was withdrawn")
		}
		expect("the stop", "-.1@lvs1")
		if !n.devices["lvs0"][vip(9)] {
			t.Error("the address of others is gone")
		}
		if _, err := os.Stat(record); err == nil {
			t.Error("the record is left")
		}
	})
}

// TestKilled has the command stop clear the device of a daemon that it has killed, without the
// configuration, which is broken.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record := filepath.Join(t.TempDir(), "announced.json")
		n := newNet()
		a := n.announcer(record)
		a.Use(ofFile("", "lvs0", 1))
		a.Start()
		a.Set(states("1"))
		n.took()
		a.Leave()
		n.announcer(record).Withdraw(t.Context(), stayNone)
		if got := n.took(); got != "-.1@lvs0" {
			t.Errorf("%q", got)
		}
	})
}

// TestThousand has a thousand addresses: each change is one call.
func TestThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		a := n.announcer(filepath.Join(t.TempDir(), "announced.json"))
		var list []report.AddressState
		for i := range 1000 {
			list = append(list, report.AddressState{Address: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), Served: true})
		}
		a.Use(Settings{Command: "cmd", Device: "lvs0"})
		a.Start()
		a.Set(list)
		n.took()
		calls := 0
		n.mu.Lock()
		there := len(n.devices["lvs0"])
		n.mu.Unlock()
		for i := range list {
			list[i].Served = false
		}
		a.Set(list)
		for word := range strings.SplitSeq(n.took(), "; ") {
			if strings.HasPrefix(word, "cmd down") && len(strings.Fields(word)) == 1002 {
				calls++
			}
		}
		if there != 1000 || calls != 1 || len(n.devices["lvs0"]) != 0 {
			t.Errorf("%d addresses on the device, then %d in %d calls", there, len(n.devices["lvs0"]), calls)
		}
		a.Leave()
	})
}

// TestDeviceFails has an address that could not be added be served no more, and vipdevice leave the
// file: the log has nothing more of either, and nothing works again.
func TestDeviceFails(t *testing.T) {
	for name, ends := range map[string]func(*fakeNet, *Announcer){
		"it is not served": func(_ *fakeNet, a *Announcer) { a.Set(states("-1")) },
		"vipdevice leaves the file": func(n *fakeNet, a *Announcer) {
			n.locked(func() { n.broken = nil })
			a.Use(ofFile("", "", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNet()
				n.broken = errors.New("read-only file system")
				a := n.announcer(filepath.Join(t.TempDir(), "announced.json"))
				a.Use(ofFile("", "lvs0", 1))
				a.Start()
				a.Set(states("1"))
				n.took()
				if got := a.Faults(); len(got) != 1 || !strings.Contains(got[0].Error, "read-only") {
					t.Errorf("the faults are %v", got)
				}
				ends(n, a)
				n.took()
				if got := a.Faults(); len(got) != 0 {
					t.Errorf("the faults afterwards are %v", got)
				}
				a.Withdraw(t.Context(), stayNone)
				if n.locked(func() {}); len(n.logged) != 1 || !strings.Contains(n.logged[0], "read-only") {
					t.Errorf("the log is %q, want the failure alone", n.logged)
				}
			})
		})
	}
}
