package director

import (
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A picky table refuses changes whose command has a text.
type picky struct {
	*ipvs.Memory
	text atomic.Pointer[string]
}

func (p *picky) Apply(c ipvs.Change) error {
	if text := p.text.Load(); text != nil && strings.Contains(c.String(), *text) {
		return errors.New(c.String() + ": the kernel is out of memory")
	}
	return p.Memory.Apply(c)
}

func (p *picky) refuse(text string) { p.text.Store(&text) }

// noticesOf are those of the first virtual service.
func noticesOf(l *live) []string {
	snap, err := l.d.Snapshot(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return snap.Virtuals[0].Notices
}

// A refusal is shown as long as it lasts: it ends when the change is made in another form,
// and when the change is no longer needed. The next refusal is logged again.
func TestRefusalEnds(t *testing.T) {
	const real, other = "10.1.0.1:80", "10.1.0.2:80"
	for name, end := range map[string]func(l *live, p *picky){
		"not needed any more": func(l *live, _ *picky) { l.set(true, real) },
		"another weight": func(l *live, _ *picky) {
			if _, _, err := l.d.Obey(l.t.Context(), report.Order{Verb: report.Weight, Weight: 9, Real: real}); err != nil {
				l.t.Fatal(err)
			}
		},
		"it is there by other hands": func(l *live, p *picky) {
			entries, err := p.Read()
			if err != nil {
				l.t.Fatal(err)
			}
			dst := entries[0].Destinations[0]
			dst.AddrPort = netip.MustParseAddrPort(real)
			dst.Weight = 3
			if err := p.Memory.Apply(ipvs.Change{Op: ipvs.AddDestination, Service: entries[0].Service, Destination: dst}); err != nil {
				l.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &picky{Memory: ipvs.NewMemory()}
				l := goLive(t, p, "driftcheck=5\n"+refusableFile("", "", ""), real)
				defer l.end()
				time.Sleep(time.Minute)
				l.logged()
				p.refuse("-a -t 10.0.0.1:80 -r " + real + " -m -w 1")
				l.set(false, real)
				time.Sleep(time.Minute)
				if n := noticesOf(l); len(n) != 1 || !strings.Contains(n[0], "refuses") {
					t.Fatalf("notices while it is refused: %q", n)
				}
				if n := strings.Count(l.logged(), "out of memory"); n != 1 {
					t.Errorf("the refusal is logged %d times", n)
				}
				end(l, p)
				time.Sleep(time.Minute)
				if n := noticesOf(l); len(n) != 0 && strings.Contains(n[0], "refuses") {
					t.Errorf("notices afterwards: %q", n)
				}
				if name != "not needed any more" {
					return
				}
				l.logged()
				l.set(false, real)
				time.Sleep(time.Minute)
				if log := l.logged(); strings.Count(log, "out of memory") != 1 {
					t.Errorf("the second refusal is not logged once:\n%s", log)
				}
			})
		})
	}
}

// The whole service is removed while no look at the table is to come: the next change finds
// it out, whichever it is, reports it once, and all comes back.
func TestServiceLostBeforeAChange(t *testing.T) {
	const first, second = "10.1.0.1:80", "10.1.0.2:80"
	for _, quiescent := range []string{"yes", "no"} {
		for _, change := range []string{"one goes", "both go", "one comes", "a weight"} {
			t.Run("quiescent "+quiescent+", "+change, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					memory := ipvs.NewMemory()
					l := goLive(t, memory, "driftcheck=0\nquiescent="+quiescent+"\n"+refusableFile("", "", ""))
					defer l.end()
					if change == "one comes" {
						l.set(true, first)
					}
					time.Sleep(time.Minute)
					entries, err := memory.Read()
					if err != nil {
						t.Fatal(err)
					}
					if err := memory.Apply(ipvs.Change{Op: ipvs.DeleteService, Service: entries[0].Service}); err != nil {
						t.Fatal(err)
					}
					l.logged()
					want := "10.1.0.2:80 -w 1"
					switch change {
					case "one goes":
						l.set(true, first)
					case "both go":
						l.set(true, first, second)
						want = "127.0.0.1:80 -w 1"
					case "one comes":
						l.set(false, first)
						want = "10.1.0.1:80 -w 1, 10.1.0.2:80 -w 1"
					case "a weight":
						if _, _, err := l.d.Obey(t.Context(), report.Order{Verb: report.Weight, Weight: 7, Real: first}); err != nil {
							t.Fatal(err)
						}
						want = "10.1.0.1:80 -w 7, 10.1.0.2:80 -w 1"
					}
					time.Sleep(time.Second) // before anything is tried again
					got := strings.ReplaceAll(destinations(saved(t, memory)), "10.1.0.1:80 -w 0, ", "")
					if got = strings.ReplaceAll(got, "10.1.0.2:80 -w 0, ", ""); got != want {
						t.Errorf("destinations %q, want %q", got, want)
					}
					if log := l.logged(); strings.Count(log, "was removed by somebody else") != 1 || strings.Contains(log, "is not in the table") {
						t.Errorf("the loss is not reported once:\n%s", log)
					}
				})
			})
		}
	}
}

// A real server that minalive kept in service at its full weight keeps it when its checks
// are good again.
func TestKeptOneStaysAtItsWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := ipvs.NewMemory()
		l := goLive(t, memory, "checkinterval=5\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n    minalive=1\n    slowstart=60\n    real=10.1.0.1:80 masq 50\n")
		defer l.end()
		time.Sleep(2 * time.Minute)
		l.set(true, "10.1.0.1:80")
		time.Sleep(time.Minute)
		var least atomic.Int64
		least.Store(50)
		memory.OnChange = func(c ipvs.Change) { least.Store(min(least.Load(), int64(c.Destination.Weight))) }
		l.set(false, "10.1.0.1:80")
		time.Sleep(time.Minute)
		if least.Load() != 50 {
			t.Errorf("its weight went down to %d; the log:\n%s", least.Load(), l.logged())
		}
	})
}

// Orders that end together are logged in the order of their targets.
func TestOrdersEndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		b.WriteString("checkinterval=5\n")
		for i := range 9 {
			b.WriteString("virtual=10.0.0." + string(rune('1'+i)) + ":80\n    scheduler=rr\n    service=http\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n")
		}
		l := goLive(t, ipvs.NewMemory(), b.String())
		defer l.end()
		time.Sleep(time.Minute)
		if _, _, err := l.d.Obey(t.Context(), report.Order{Verb: report.Drain, Real: "10.1.0.1", For: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
		l.logged()
		time.Sleep(time.Minute)
		last := ""
		for line := range strings.Lines(l.logged()) {
			_, at, ok := strings.Cut(line, "10.0.0.")
			if !ok || !strings.Contains(line, "the time is over") {
				continue
			}
			if at[:1] < last {
				t.Errorf("%q is logged behind 10.0.0.%s", line, last)
			}
			last = at[:1]
		}
		if last != "9" {
			t.Errorf("the last one is 10.0.0.%q", last)
		}
	})
}
