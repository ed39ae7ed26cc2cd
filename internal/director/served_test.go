package director

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// servedFile has an address of which one virtual service is enough, one of which both are
// needed, one that its fallback serves, and one that does not count.
const servedFile = `checkinterval=1
fallback=127.0.0.1:80
virtual=10.0.0.1:80
    real=10.1.0.1:80 masq
    checktype=connect
    announcefallback=no
virtual=10.0.0.1:81
    real=10.1.0.2:80 masq
    checktype=connect
    announcefallback=no
virtual=10.0.0.2:80
    real=10.1.0.1:80 masq
    checktype=connect
    announce=all
    announcefallback=no
virtual=10.0.0.2:81
    real=10.1.0.2:80 masq
    checktype=connect
    announce=all
    announcefallback=no
virtual=10.0.0.3:80
    real=10.1.0.1:80 masq
    checktype=connect
    announcedelay=0
virtual=10.0.0.4:80
    real=10.1.0.1:80 masq
    checktype=connect
    announce=no
`

// A servedHouse is a director whose real servers are dead or alive as a test wants.
type servedHouse struct {
	mu        sync.Mutex
	dead      string
	table     *ipvs.Memory
	addresses *virtual.Addresses
	orders    []report.Override
	director  *Director
	stop      func()
}

func (h *servedHouse) start(t *testing.T, text string) {
	h.addresses = virtual.NewAddresses()
	h.director = New(Options{
		Table: h.table, Sink: func(event.Event) {}, Addresses: h.addresses, Overrides: h.orders,
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			time.Sleep(500 * time.Millisecond)
			h.mu.Lock()
			defer h.mu.Unlock()
			for dead := range strings.FieldsSeq(h.dead) {
				if strings.Contains(c.String(), dead) {
					return engine.Result{Attempts: 1, Err: errors.New("dead")}
				}
			}
			return engine.Result{Attempts: 1}
		},
	})
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.director.Run(ctx, cfg) }()
	h.stop = func() { cancel(); <-ended }
	<-h.director.Ready()
}

// is are the last numbers of the served addresses.
func (h *servedHouse) is(t *testing.T) string {
	t.Helper()
	states, err := h.addresses.States()
	if err != nil {
		return err.Error()
	}
	var served strings.Builder
	for _, at := range states {
		if at.Served {
			served.WriteString(at.Address.String()[len("10.0.0."):] + " ")
		} else if at.Reason == "" {
			t.Errorf("%s is not served without a reason", at.Address)
		}
	}
	return strings.TrimSpace(served.String())
}

func (h *servedHouse) kill(dead string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = dead
}

// TestServedAddresses has servers die and come back, and daemons restarted, and looks at what is
// served at what time.
func TestServedAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &servedHouse{table: ipvs.NewMemory()}
		h.start(t, servedFile)
		expect := func(when string, after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := h.is(t); got != want {
				t.Errorf("%s: served are %q, want %q", when, got, want)
			}
		}
		expect("at the start", 400*time.Millisecond, "")
		expect("when the first checks are in", 1200*time.Millisecond, "3")
		expect("after announcedelay", 3*time.Second, "1 2 3")
		h.kill("10.1.0.2")
		expect("one of two is dead", 5*time.Second, "1 3")
		h.kill("10.1.0.1 10.1.0.2")
		expect("both are dead", 5*time.Second, "3")
		h.kill("")
		expect("both are alive, for less than announcedelay", 2*time.Second, "3")
		expect("both are alive", 5*time.Second, "1 2 3")
		h.director.Leave()
		h.stop()
		h.start(t, servedFile)
		expect("at a restart", 0, "1 2 3")
		for range 50 {
			expect("after a restart", 100*time.Millisecond, "1 2 3")
		}
		h.kill("10.1.0.1 10.1.0.2")
		h.director.Leave()
		h.stop()
		h.start(t, servedFile)
		expect("at a restart with dead servers", 0, "1 2 3")
		expect("after a restart with dead servers", 5*time.Second, "3")
		h.stop()
		expect("stalled for less than 2 s", 900*time.Millisecond, "3")
		expect("stalled", 2*time.Second, "the director stands still")
	})
}

// TestServedReload changes the configuration: what stays is as before, what is new has to be
// served for announcedelay.
func TestServedReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &servedHouse{table: ipvs.NewMemory()}
		one := "checkinterval=1\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
		h.start(t, one)
		defer func() { h.stop() }()
		time.Sleep(6 * time.Second)
		load := func(text string) {
			t.Helper()
			cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.director.Reload(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
		}
		both := one + "    real=10.1.0.7:80 masq\nvirtual=10.0.0.2:80\n    real=10.1.0.2:80 masq\n"
		for i, step := range []struct {
			text, atOnce, later string
		}{
			{one, "1", "1"},
			{both, "1", "1 2"},
			{strings.Replace(both, "10.0.0.2:80\n", "10.0.0.2:80\n    announce=no\n", 1), "1", "1"},
			{both, "1 2", "1 2"},
			{"virtual=10.0.0.2:80\n    real=10.1.0.2:80 masq\n", "2", "2"},
			{"", "", ""},
		} {
			load(step.text)
			if got := h.is(t); got != step.atOnce {
				t.Errorf("reload %d: served are %q at once, want %q", i, got, step.atOnce)
			}
			time.Sleep(6 * time.Second)
			if got := h.is(t); got != step.later {
				t.Errorf("reload %d: served are %q later, want %q", i, got, step.later)
			}
		}
	})
}

// TestServedIsCheap has a thousand addresses with ten virtual services each.
func TestServedIsCheap(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		for port := range 10 {
			fmt.Fprintf(&b, "virtual=10.0.%d.%d:%d\n    real=10.1.0.1:80 masq\n    announcedelay=0\n", i/250, i%250, port+1)
		}
	}
	cfg, err := conf.Parse("t.cf", []byte(b.String()), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	a, virtuals, changes := virtual.NewAddresses(), prepare(cfg, maintenance.Taken{}, time.Now()).virtuals, 0
	a.Changed = func() { changes++ }
	now := time.Now()
	a.Use(virtuals, true, now)
	for range 3 {
		for _, v := range virtuals {
			a.Look(v, now)
		}
		a.Settle(now)
	}
	if states, err := a.States(); err != nil || len(states) != 1000 {
		t.Errorf("%d addresses, %v", len(states), err)
	}
	if changes != 1 {
		t.Errorf("%d changes of which readers learn, want the first one", changes)
	}
}

// TestWithdraw has an operator withdraw an address, over a restart, and for a time.
func TestWithdraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &servedHouse{table: ipvs.NewMemory()}
		h.start(t, servedFile)
		defer func() { h.stop() }()
		time.Sleep(6 * time.Second)
		order := func(verb, vip string, lasts time.Duration, want string) {
			t.Helper()
			if _, _, err := h.director.Obey(t.Context(), report.Order{Verb: verb, Virtual: vip, For: lasts, By: "root"}); err != nil {
				t.Errorf("%s %s: %v", verb, vip, err)
			}
			if got := h.is(t); got != want {
				t.Errorf("%s %s: served are %q, want %q", verb, vip, got, want)
			}
		}
		order(report.Withdraw, "10.0.0.1", 0, "2 3")
		if snap, err := h.director.Snapshot(t.Context()); err != nil || snap.Addresses[0].Withdrawn == nil || len(snap.Overrides) != 0 ||
			snap.Addresses[0].Reason != "withdrawn by order: withdraw by root" {
			t.Errorf("the snapshot: %+v, unused %v, %v", snap.Addresses[0], snap.Overrides, err)
		}
		orders := h.director.Overrides()
		h.director.Leave()
		h.stop()
		for _, o := range orders {
			if err := o.Check(); err != nil {
				t.Errorf("the order %v is not kept: %v", o, err)
			}
		}
		h.orders = orders
		h.start(t, servedFile)
		if got := h.is(t); got != "2 3" {
			t.Errorf("after a restart: %q", got)
		}
		order(report.Announce, "10.0.0.1", 0, "1 2 3")
		order(report.Withdraw, "", 10*time.Second, "")
		time.Sleep(9 * time.Second)
		if got := h.is(t); got != "" {
			t.Errorf("within its time: %q", got)
		}
		time.Sleep(3 * time.Second)
		if got := h.is(t); got != "1 2 3" || len(h.director.Overrides()) != 0 {
			t.Errorf("after its time: %q, orders %v", got, h.director.Overrides())
		}
		for _, o := range []report.Order{{Verb: report.Withdraw, Virtual: "10.0.0.9"}, {Verb: report.Withdraw, Virtual: "10.0.0.1", Real: "10.1.0.1"}, {Verb: report.Drain}} {
			if _, _, err := h.director.Obey(t.Context(), o); err == nil {
				t.Errorf("%+v is obeyed", o)
			}
		}
		_, _, err := h.director.Obey(t.Context(), report.Order{Verb: report.Withdraw, Virtual: "10.0.0.9"})
		if want := "virtual address 10.0.0.9: not in the configuration, or all of its virtual services have announce = no"; !errors.Is(err, report.ErrNotConfigured) || err.Error() != want {
			t.Errorf("an unknown address: %v, want %s", err, want)
		}
	})
}
