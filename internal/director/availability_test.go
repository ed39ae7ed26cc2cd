package director

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestPlannedTime reads the numbers of a maintenance of 7 s, and of an order of
// 20 s, of a real server that was up for 22 s before.
func TestPlannedTime(t *testing.T) {
	const file = `-- t.cf --
checkinterval=1
maintenancedir=$DIR
virtual=10.0.0.1:80
    real=10.1.0.1:80 masq
    real=10.1.0.2:80 masq
    service=http
    scheduler=rr
`
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, txtar.Parse([]byte(file)))
		s.start("t.cf")
		time.Sleep(22 * time.Second)
		touched := filepath.Join(s.dir, "10.1.0.1")
		if err := os.WriteFile(touched, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7 * time.Second)
		if r := snapshotOf(t, s).Virtuals[0].Reals[0]; r.State != report.StateMaintenance || time.Since(r.Since).Round(time.Second) != 7*time.Second {
			t.Errorf("after 7 s of maintenance the snapshot says %s for %v", r.State, time.Since(r.Since))
		}
		if why := reasonOf(t, s, "10.1.0.1"); why.State != report.StateMaintenance || time.Since(why.Since).Round(time.Second) != 7*time.Second {
			t.Errorf("after 7 s of maintenance why says %s for %v", why.State, time.Since(why.Since))
		}
		if err := os.Remove(touched); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		back := lastNote(t, s, "back")
		if got := back.After.Duration().Round(time.Second); got != 7*time.Second && got != 8*time.Second { // the file is looked for every half second
			t.Errorf("after 7 s of maintenance it is back, out for %v", got)
		}
		if c := back.Cause; c == nil || c.Kind != event.CauseMaintenance {
			t.Errorf("it is back after maintenance, the cause is %+v", c)
		}

		order := func(verb string) {
			if _, _, err := s.d.Obey(t.Context(), report.Order{Verb: verb, Real: "10.1.0.1", By: "alice"}); err != nil {
				t.Fatal(err)
			}
		}
		order(report.Drain)
		time.Sleep(20 * time.Second)
		if why := reasonOf(t, s, "10.1.0.1"); why.State != report.StateDrained || time.Since(why.Since).Round(time.Second) != 20*time.Second {
			t.Errorf("20 s after the order why says %s for %v", why.State, time.Since(why.Since))
		}
		order(report.Enable)
		s.set("10.1.0.1:80", "connection refused")
		time.Sleep(30 * time.Second)
		a := snapshotOf(t, s).Virtuals[0].Reals[0].Availability
		if got := a.Planned.Duration().Round(time.Second); got != 27*time.Second && got != 28*time.Second {
			t.Errorf("planned out of service for %v, want 27s: %+v", got, a)
		}
		if got := a.Down.Duration().Round(time.Second); got < 28*time.Second || got > 30*time.Second {
			t.Errorf("down for %v, want nearly 30s: %+v", got, a)
		}
		s.stop()
	})
}

func snapshotOf(t *testing.T, s *stage) *report.Snapshot {
	t.Helper()
	snap, err := s.d.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func reasonOf(t *testing.T, s *stage, name string) report.Reason {
	t.Helper()
	reasons, err := s.d.Why(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	return reasons[0]
}

// lastNote is the last one of a kind.
func lastNote(t *testing.T, s *stage, kind string) report.Note {
	t.Helper()
	notes, err := s.d.History(t.Context(), report.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var last report.Note
	for _, n := range notes {
		if n.Kind == kind {
			last = n
		}
	}
	if last.Kind != kind {
		t.Fatalf("history has no %q: %v", kind, notes)
	}
	return last
}

// TestSinceOfVerdict reads since when a real server is up or down: not since before
// an order or a maintenance file that has kept it out meanwhile.
func TestSinceOfVerdict(t *testing.T) {
	const file = `-- t.cf --
checkinterval=1
maintenancedir=$DIR
virtual=10.0.0.1:80
    real=10.1.0.1:80 masq
    service=http
    scheduler=rr
`
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, txtar.Parse([]byte(file)))
		defer s.stop()
		s.start("t.cf")
		is := func(when string, state report.State, least, most time.Duration) {
			t.Helper()
			since := time.Since(snapshotOf(t, s).Virtuals[0].Reals[0].Since)
			if got := snapshotOf(t, s).Virtuals[0].Reals[0].State; got != state || since < least || since > most {
				t.Errorf("%s the snapshot says %s for %v, want %s for %v to %v", when, got, since, state, least, most)
			}
			why := reasonOf(t, s, "10.1.0.1")
			if since := time.Since(why.Since); why.State != state || since < least || since > most {
				t.Errorf("%s why says %s for %v, want %s for %v to %v", when, why.State, since, state, least, most)
			}
			if want := why.Since.Local().Format(time.DateTime); !strings.Contains(why.Because, want) {
				t.Errorf("%s why says %q, want since %s", when, why.Because, want)
			}
		}
		order := func(verb string) {
			if _, _, err := s.d.Obey(t.Context(), report.Order{Verb: verb, Real: "10.1.0.1", By: "alice"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Second)
		order(report.Disable)
		time.Sleep(20 * time.Second)
		order(report.Enable)
		time.Sleep(3 * time.Second)
		is("3 s after enable", report.StateUp, 3*time.Second, 3*time.Second)

		touched := filepath.Join(s.dir, "10.1.0.1")
		if err := os.WriteFile(touched, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		s.set("10.1.0.1", "refused")
		if err := os.Remove(touched); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		is("after maintenance and 5 s of failed checks", report.StateDown, 3*time.Second, 5*time.Second)
		if why := reasonOf(t, s, "10.1.0.1"); !strings.Contains(why.Because, "; its last 5 checks failed") && !strings.Contains(why.Because, "; its last 6 checks failed") {
			t.Errorf("after 5 s of failed checks, one a second, why says %q", why.Because)
		}
	})
}

// TestFirstChange counts the time before the first change of a real server that was found in the
// table, and was in service since the start.
func TestFirstChange(t *testing.T) {
	const file = `-- t.cf --
checkinterval=1
virtual=10.0.0.1:80
    real=10.1.0.1:80 masq
    real=10.1.0.2:80 masq
    service=http
    scheduler=rr
    httpdrain=404
`
	for name, tt := range map[string]struct {
		answer        string
		down, planned time.Duration
	}{
		"it dies":          {answer: "connection refused", down: 10 * time.Second},
		"it drains itself": {answer: "drains 404", planned: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, txtar.Parse([]byte(file)))
				s.start("t.cf")
				time.Sleep(5 * time.Second)
				s.d.Leave()
				s.stop()
				s.start("t.cf") // finds both
				time.Sleep(20 * time.Second)
				s.set("10.1.0.1:80", tt.answer)
				time.Sleep(10 * time.Second)
				a := snapshotOf(t, s).Virtuals[0].Reals[0].Availability
				if got := a.Up.Duration().Round(time.Second); got < 19*time.Second || got > 21*time.Second {
					t.Errorf("up for %v before, want 20s: %+v", got, a)
				}
				if a.Down.Duration().Round(time.Second) > tt.down || a.Planned.Duration().Round(time.Second) > tt.planned || a.Down == 0 && a.Planned == 0 {
					t.Errorf("down for %v and planned for %v, want %v and %v", a.Down, a.Planned, tt.down, tt.planned)
				}
				s.stop()
			})
		})
	}
}
