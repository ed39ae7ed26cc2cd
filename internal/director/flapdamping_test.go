package director

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A flapper is a virtual service with flapdamping = 3 in 60s and checks each second, whose real
// servers are 10.1.0.1, .2 and .3. Its time is fake.
type flapper struct {
	t       *testing.T
	d       *Director
	end     func()
	table   ipvs.Table
	text    string
	options Options

	mu     sync.Mutex // of the next ones
	broken map[string]bool
	events []string
}

const flapperText = "checkinterval=1\ncleanstop=no\nholdlocal=no\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n    real=10.1.0.3:80 masq\n" +
	"    fallback=127.0.0.1:80 masq\n    flapdamping = 3 in 60s\n"

func newFlapper(t *testing.T, more string) *flapper {
	f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: flapperText + more}
	f.begin()
	return f
}

func (f *flapper) begin() {
	f.t.Helper()
	o := f.options
	o.Table = f.table
	if f.d != nil {
		o.Damped, o.Gone = f.d.Damped(), f.d.Gone()
	}
	o.Sink = func(e event.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if n := report.NoteOf(e); n.Verdict() && n.Kind != "started" {
			f.events = append(f.events, strings.TrimSpace(e.Kind.String()+" "+strings.TrimSuffix(strings.TrimPrefix(e.R, "10.1.0."), ":80")))
		}
	}
	o.Ask = func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.isBroken(c.String()) {
			return engine.Result{Attempts: 1, Err: errors.New("refused")}
		}
		return engine.Result{Attempts: 1}
	}
	f.d = New(o)
	ctx, cancel := context.WithCancel(f.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.d.Run(ctx, configured(f.t, f.text)) }()
	<-f.d.Ready()
	f.end = func() { cancel(); <-ended }
	time.Sleep(2500 * time.Millisecond)
}

func (f *flapper) isBroken(asked string) bool {
	for host, broken := range f.broken {
		if broken && strings.Contains(asked+":", "10.1.0."+host+":") {
			return true
		}
	}
	return false
}

// breaks lets the checks of a real server fail, or not.
func (f *flapper) breaks(host string, broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken[host] = broken
}

// flaps lets a real server go down and come back, which takes 4 s; it is not back the last time if
// it is damped.
func (f *flapper) flaps(host string, times int) {
	for range times {
		f.breaks(host, true)
		time.Sleep(2 * time.Second)
		f.breaks(host, false)
		time.Sleep(2 * time.Second)
	}
}

// wants compares the real servers in service, the state of each, and the events since the last time.
func (f *flapper) wants(in, states, events string) {
	f.t.Helper()
	synctest.Wait()
	entries, err := f.table.Read()
	if err != nil || len(entries) != 1 {
		f.t.Fatalf("%v, %v", entries, err)
	}
	var got, words []string
	for _, d := range slices.SortedFunc(slices.Values(entries[0].Destinations), func(a, b ipvs.Destination) int { return cmp.Compare(a.AddrPort.String(), b.AddrPort.String()) }) {
		if d.Weight > 0 {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(d.AddrPort.String(), "10.1.0."), ":80"))
		}
	}
	snap := f.snapshot()
	for _, r := range snap.Virtuals[0].Reals {
		if !r.Fallback {
			words = append(words, string(r.State))
		}
		if r.State == report.StateDamped && r.DampedUntil.Before(time.Now().Add(-time.Second)) || r.State == report.StateUp && !r.DampedUntil.IsZero() {
			f.t.Errorf("%s is %s until %v", r.Name, r.State, r.DampedUntil)
		}
	}
	f.mu.Lock()
	happened := f.events
	f.events = nil
	f.mu.Unlock()
	if diff := gocmp.Diff([]string{in, states, events}, []string{strings.Join(got, " "), strings.Join(words, " "), strings.Join(happened, ", ")}); diff != "" {
		f.t.Errorf("in service, states, events (-want +got):\n%s", diff)
	}
}

func (f *flapper) snapshot() *report.Snapshot {
	f.t.Helper()
	snap, err := f.d.Snapshot(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return snap
}

func (f *flapper) orders(verb, host string) report.Override {
	f.t.Helper()
	obeyed, _, err := f.d.Obey(f.t.Context(), report.Order{Verb: verb, Real: "10.1.0." + host, By: "alice", Weight: 7})
	if err != nil {
		f.t.Fatal(err)
	}
	return obeyed[0]
}

const thrice = "gone 1, back 1, gone 1, back 1, gone 1, damped 1"

// TestFlapDamping plays what happens to a damped real server, in many orders.
func TestFlapDamping(t *testing.T) {
	for name, tt := range map[string]struct {
		more string // of the virtual service
		play func(f *flapper)
	}{
		"its time": {play: func(f *flapper) {
			f.flaps("1", 2)
			f.wants("1 2 3", "up up up", "gone 1, back 1, gone 1, back 1")
			f.flaps("1", 1)
			f.wants("2 3", "damped up up", "gone 1, damped 1")
			time.Sleep(56 * time.Second) // 60 s from its last end on, which was found up to a second later
			f.wants("2 3", "damped up up", "")
			time.Sleep(4 * time.Second)
			f.wants("1 2 3", "up up up", "damping over 1, back 1")
			f.flaps("1", 3)
			f.wants("2 3", "damped up up", thrice)
			time.Sleep(115 * time.Second)
			f.wants("2 3", "damped up up", "")
			time.Sleep(5 * time.Second)
			f.wants("1 2 3", "up up up", "damping over 1, back 1")
		}},
		"weight 0": {"    quiescent=yes\n", func(f *flapper) {
			f.flaps("1", 3)
			f.wants("2 3", "damped up up", thrice)
			if r := f.snapshot().Virtuals[0].Reals[0]; !r.Present || r.Weight != 0 || !r.Up || r.InService || r.OutReason != "damped" {
				f.t.Errorf("the damped real server: %+v", r)
			}
		}},
		"its checks fail at the end": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.breaks("1", true)
			time.Sleep(70 * time.Second)
			f.wants("2 3", "down up up", thrice+", damping over 1")
			f.breaks("1", false)
			time.Sleep(2 * time.Second)
			f.wants("1 2 3", "up up up", "back 1")
		}},
		"too slowly": {play: func(f *flapper) {
			for range 5 {
				f.flaps("1", 1)
				time.Sleep(30 * time.Second)
			}
			f.wants("1 2 3", "up up up", strings.TrimSuffix(strings.Repeat("gone 1, back 1, ", 5), ", "))
		}},
		"enable": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.wants("2 3", "damped up up", thrice)
			if o := f.orders(report.Enable, "1"); o.Remark != "" {
				f.t.Errorf("enable: %q", o.Remark)
			}
			f.wants("1 2 3", "up up up", "ordered 1, damping over 1, back 1")
			f.flaps("1", 2)
			f.wants("1 2 3", "up up up", "gone 1, back 1, gone 1, back 1") // it begins anew
		}},
		"enable while its checks fail": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.breaks("1", true)
			time.Sleep(2 * time.Second)
			if o := f.orders(report.Enable, "1"); !strings.Contains(o.Remark, "stays out of service: refused") {
				f.t.Errorf("enable: %q", o.Remark)
			}
			f.wants("2 3", "down up up", thrice+", ordered 1, damping over 1")
			f.breaks("1", false)
			time.Sleep(2 * time.Second)
			f.wants("1 2 3", "up up up", "back 1")
		}},
		"other orders do not end it": {play: func(f *flapper) {
			f.flaps("1", 3)
			if o := f.orders(report.Weight, "1"); !strings.Contains(o.Remark, "damped until") {
				f.t.Errorf("weight: %q", o.Remark)
			}
			f.wants("2 3", "damped up up", thrice+", ordered 1")
			f.orders(report.Disable, "1")
			f.wants("2 3", "disabled up up", "ordered 1")
			time.Sleep(70 * time.Second)
			f.wants("2 3", "disabled up up", "damping over 1, back 1") // by its checks, and still disabled
			f.orders(report.Enable, "1")
			f.wants("1 2 3", "up up up", "ordered 1")
		}},
		"drained ones do not count": {play: func(f *flapper) {
			f.orders(report.Drain, "1")
			f.flaps("1", 5)
			f.orders(report.Enable, "1")
			time.Sleep(2 * time.Second)
			f.wants("1 2 3", "up up up", "ordered 1, "+strings.Repeat("gone 1, back 1, ", 5)+"ordered 1")
		}},
		"the last one stays": {play: func(f *flapper) {
			f.breaks("2", true)
			time.Sleep(2 * time.Second)
			f.breaks("3", true)
			time.Sleep(2 * time.Second)
			f.wants("1", "up down down", "gone 2, gone 3")
			f.flaps("1", 4)
			f.wants("1", "up down down", strings.TrimSuffix(strings.Repeat("gone 1, all gone, back 1, any back, ", 4), ", "))
		}},
		"the others leave": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.flaps("2", 3)
			f.wants("3", "damped damped up", thrice+", "+strings.ReplaceAll(thrice, "1", "2"))
			f.breaks("3", true)
			time.Sleep(2 * time.Second)
			f.wants("1", "up damped down", "damping over 1, gone 3, back 1") // that of 1 would end first
		}},
		"the others leave by order": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.orders(report.Disable, "2")
			f.wants("3", "damped disabled up", thrice+", ordered 2")
			f.orders(report.Drain, "3")
			f.wants("1", "up disabled drained", "ordered 3, damping over 1, back 1")
		}},
		"it comes back when all others are gone": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.breaks("1", true)
			f.breaks("2", true)
			time.Sleep(2 * time.Second)
			f.breaks("3", true)
			time.Sleep(2 * time.Second)
			f.wants("127.0.0.1", "damped down down", thrice+", gone 2, gone 3, all gone")
			f.breaks("1", false)
			time.Sleep(2 * time.Second)
			f.wants("1", "up down down", "damping over 1, back 1, any back")
		}},
		"minalive": {"    minalive=2\n", func(f *flapper) {
			f.flaps("1", 3)
			f.wants("2 3", "damped up up", thrice)
			f.breaks("2", true)
			time.Sleep(2 * time.Second)
			f.wants("1 3", "up down up", "damping over 1, gone 2, back 1")
			f.flaps("1", 4) // the last but one: minalive keeps it
			f.wants("1 3", "up down up", strings.TrimSuffix(strings.Repeat("gone 1, back 1, ", 4), ", "))
		}},
		"slowstart": {"    slowstart=10\n", func(f *flapper) {
			time.Sleep(15 * time.Second)
			f.flaps("1", 3)
			time.Sleep(60 * time.Second)
			f.wants("1 2 3", "up up up", thrice+", damping over 1, back 1")
		}},
		"reload": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.reload(f.text)
			time.Sleep(2 * time.Second)
			f.wants("2 3", "damped up up", thrice)
			f.reload(strings.Replace(f.text, "    real=10.1.0.2:80 masq\n    real=10.1.0.3:80 masq\n", "", 1))
			f.wants("1", "up", "damping over 1, back 1") // which it has to, as the last one
		}},
		"a reload without it": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.reload(strings.Replace(f.text, "flapdamping = 3 in 60s", "flapdamping = no", 1))
			time.Sleep(2 * time.Second)
			f.wants("1 2 3", "up up up", thrice+", back 1")
		}},
		"restart": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.wants("2 3", "damped up up", thrice)
			f.end()
			f.begin()
			f.wants("2 3", "damped up up", "")
			time.Sleep(60 * time.Second)
			f.wants("1 2 3", "up up up", "damping over 1, back 1")
			f.end()
			f.begin()
			f.flaps("1", 3) // it remembers how long the last time was
			time.Sleep(100 * time.Second)
			f.wants("2 3", "damped up up", thrice)
		}},
		"a restart after its time": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.end()
			time.Sleep(2 * time.Minute)
			f.begin()
			f.wants("1 2 3", "up up up", thrice)
		}},
		"a restart as the last one": {play: func(f *flapper) {
			f.flaps("1", 3)
			f.breaks("1", true) // first: while it answers it comes in with the end of the others
			time.Sleep(2 * time.Second)
			f.breaks("2", true)
			f.breaks("3", true)
			time.Sleep(2 * time.Second)
			f.end()
			f.breaks("1", false)
			f.wantsNothing()
			f.begin()
			f.wants("1", "up down down", "damping over 1, back 1")
		}},
		"a second reason": {play: func(f *flapper) {
			f.flaps("1", 3)
			reasons, err := f.d.Why(f.t.Context(), "10.1.0.1", "")
			if err != nil || reasons[0].Code != report.ReasonDamped || !strings.HasPrefix(reasons[0].Because, "damped until ") || !strings.HasSuffix(reasons[0].Because, "enable lets it in") {
				f.t.Errorf("why: %+v, %v", reasons, err)
			}
			f.breaks("1", true)
			time.Sleep(2 * time.Second)
			reasons, err = f.d.Why(f.t.Context(), "10.1.0.1", "")
			if err != nil || reasons[0].Code != report.ReasonDamped || !strings.Contains(reasons[0].Because, "its checks fail: refused") {
				f.t.Errorf("why: %+v, %v", reasons, err)
			}
			if r := f.snapshot().Virtuals[0].Reals[0]; r.Up || r.State != report.StateDamped {
				f.t.Errorf("while its checks fail: %+v", r)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFlapper(t, tt.more)
				defer func() { f.end() }()
				f.wants("1 2 3", "up up up", "")
				tt.play(f)
			})
		})
	}
}

func (f *flapper) reload(text string) {
	f.t.Helper()
	if err := f.d.Reload(f.t.Context(), configured(f.t, text)); err != nil {
		f.t.Fatal(err)
	}
}

// wantsNothing drops the events so far.
func (f *flapper) wantsNothing() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = nil
}

// TestDampedInMaintenance has a damped real server in maintenance, and out of it before the damping
// ends.
func TestDampedInMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlapper(t, "")
		defer func() { f.end() }()
		f.flaps("1", 3)
		f.wants("2 3", "damped up up", thrice)
		maintain := func(out map[netip.AddrPort]string) {
			_, err := do(t.Context(), f.d, func() struct{} {
				f.d.maintained(maintenance.Report{Taken: maintenance.Taken{Out: out}})
				return struct{}{}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		maintain(map[netip.AddrPort]string{netip.MustParseAddrPort("10.1.0.1:80"): "web1"})
		f.wants("2 3", "maintenance up up", "")
		maintain(nil)
		time.Sleep(2 * time.Second)
		f.wants("2 3", "damped up up", "") // its time goes on
		maintain(map[netip.AddrPort]string{netip.MustParseAddrPort("10.1.0.1:80"): "web1"})
		time.Sleep(70 * time.Second)
		f.wants("2 3", "maintenance up up", "damping over 1")
		maintain(nil)
		time.Sleep(2 * time.Second)
		f.wants("1 2 3", "up up up", "back 1")
	})
}

// TestDampedOnlyWithTheDirective flaps without it, as the original.
func TestDampedOnlyWithTheDirective(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: strings.Replace(flapperText, "    flapdamping = 3 in 60s\n", "", 1)}
		f.begin()
		defer func() { f.end() }()
		f.flaps("1", 10)
		f.wants("1 2 3", "up up up", strings.TrimSuffix(strings.Repeat("gone 1, back 1, ", 10), ", "))
		if list := f.d.Damped(); len(list) != 0 {
			t.Errorf("damped: %+v", list)
		}
	})
}

// TestDampedOfOthers gives a start what it must not take over.
func TestDampedOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: flapperText}
		now := time.Now()
		f.d = New(Options{Table: f.table, Damped: []state.Damped{
			{Virtual: "tcp:10.0.0.9:80", Real: "10.1.0.1:80", Since: now, Until: now.Add(time.Hour), Lasts: time.Hour},
			{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.9:80", Since: now, Until: now.Add(time.Hour), Lasts: time.Hour},
			{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.2:80", Since: now.Add(-time.Hour), Until: now.Add(-time.Minute), Lasts: time.Minute},
			{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.3:80", Since: now, Until: now.Add(time.Hour), Lasts: time.Hour},
		}})
		f.begin()
		defer func() { f.end() }()
		f.wants("1 2", "up up damped", "")
	})
}

// A wall clock that is set back between two daemons keeps no real server out for longer than
// flapdamping would have.
func TestDampedBeforeTheClockWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: flapperText}
		f.options.Damped = []state.Damped{{
			Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Since: time.Now().AddDate(1, 0, 0), Until: time.Now().AddDate(1, 0, 0).Add(time.Minute), Lasts: time.Minute,
		}}
		f.begin()
		defer func() { f.end() }()
		f.wants("2 3", "damped up up", "")
		time.Sleep(time.Minute)
		f.wants("1 2 3", "up up up", "damping over 1, back 1")
	})
}

// TestNotDampedBesideARefusedOne has the only other real server up, but refused by the kernel: it is
// not in service, and the last one that is is never kept out.
func TestNotDampedBesideARefusedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := strings.NewReplacer("10.1.0.2:80 masq", "10.1.0.2:80 masq l:5", "    real=10.1.0.3:80 masq\n", "").Replace(flapperText)
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: refused}
		f.begin()
		defer func() { f.end() }()
		f.flaps("1", 4)
		f.wants("1", "up up", strings.TrimSuffix(strings.Repeat("gone 1, all gone, back 1, any back, ", 4), ", "))
	})
}

// TestDampingLosesNoQuorum has a real server flap that the quorum needs: flapdamping does not keep it
// out, as all others would leave with it.
func TestDampingLosesNoQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlapper(t, "    quorum = 2\n")
		defer func() { f.end() }()
		f.breaks("3", true)
		time.Sleep(2 * time.Second)
		f.flaps("1", 4)
		again := strings.Repeat(", gone 1, quorum lost, all gone, back 1, quorum regained, any back", 4)
		f.wants("1 2", "up up down", "gone 3"+again)
	})
}
