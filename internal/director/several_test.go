package director

import (
	"context"
	"strings"
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

// severalText is a virtual service with connects to port 80 each second, and the block app with
// connects to port 81 each 2 s, of which two have to fail.
const severalText = "checkinterval=1\ncleanstop=no\nholdlocal=no\ncheck=app\n    checktype=connect\n    checkport=81\n    checkinterval=2\n    failurecount=2\n" +
	"check=db\n    checktype=connect\n    checkport=82\n    risecount=2\n" +
	"virtual=10.0.0.1:80\n    checktype=connect\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n"

func newSeveral(t *testing.T, more string) *flapper {
	f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: severalText + more}
	f.begin()
	return f
}

func (f *flapper) loads(text string) {
	f.t.Helper()
	if err := f.d.Reload(f.t.Context(), configured(f.t, text)); err != nil {
		f.t.Fatal(err)
	}
}

// why is the code and the sentence of the first real server.
func (f *flapper) why() report.Reason {
	f.t.Helper()
	reasons, err := f.d.Why(f.t.Context(), "10.1.0.1", "")
	if err != nil {
		f.t.Fatal(err)
	}
	return reasons[0]
}

// TestSeveralChecks plays what happens to real servers with several checks.
func TestSeveralChecks(t *testing.T) {
	for name, tt := range map[string]struct {
		more string // of the virtual service
		play func(f *flapper)
	}{
		"all are needed, each with its own count": {"    alsocheck=app\n", func(f *flapper) {
			f.wants("1 2", "up up", "")
			f.breaks("1:81", true)
			time.Sleep(2 * time.Second)
			f.wants("1 2", "up up", "")
			time.Sleep(2 * time.Second)
			f.wants("2", "down up", "gone 1")
			f.breaks("1:80", true)
			time.Sleep(1500 * time.Millisecond)
			f.breaks("1:81", false)
			time.Sleep(3 * time.Second)
			f.wants("2", "down up", "")
			f.breaks("1:80", false)
			time.Sleep(2 * time.Second)
			f.wants("1 2", "up up", "back 1")
		}},
		"one is needed": {"    alsocheck=app\n    alsocheck=db\n    checksneeded=1\n", func(f *flapper) {
			f.breaks("1:80", true)
			f.breaks("1:82", true)
			time.Sleep(5 * time.Second)
			f.wants("1 2", "up up", "")
			f.breaks("1:81", true)
			time.Sleep(5 * time.Second)
			f.wants("2", "down up", "gone 1")
			f.breaks("1:82", false)
			time.Sleep(500 * time.Millisecond)
			f.wants("2", "down up", "") // risecount = 2
			time.Sleep(2 * time.Second)
			f.wants("1 2", "up up", "back 1")
		}},
		"more are needed than there are": {"    alsocheck=app\n    checksneeded=9\n", func(f *flapper) {
			f.wants("1 2", "up up", "")
		}},
		"one of the same block twice": {"    alsocheck=app\n    alsocheck=app\n    checksneeded=2\n", func(f *flapper) {
			f.breaks("1:80", true)
			time.Sleep(3 * time.Second)
			f.wants("1 2", "up up", "")
			f.breaks("1:81", true)
			time.Sleep(5 * time.Second)
			f.wants("2", "down up", "gone 1")
		}},
		"in the place of the own one": {"    real=10.1.0.3:80 masq 1 check=db\n    alsocheck=app\n", func(f *flapper) {
			f.breaks("3:80", true)
			f.breaks("1:82", true)
			time.Sleep(5 * time.Second)
			f.wants("1 2 3", "up up up", "")
			f.breaks("3:82", true)
			time.Sleep(2 * time.Second)
			f.wants("1 2", "up up down", "gone 3")
		}},
		"alone in the place of none": {"    real=10.1.0.3:80 masq 1 check=db\n    checktype=off\n", func(f *flapper) {
			f.wants("3", "off off up", "")
			f.breaks("3:82", true)
			time.Sleep(2 * time.Second)
			f.wants("", "off off down", "gone 3, all gone")
		}},
		"beside one that is on": {"    checktype=on\n    alsocheck=app\n", func(f *flapper) {
			f.wants("1 2", "up up", "")
			f.breaks("1:81", true)
			time.Sleep(5 * time.Second)
			f.wants("2", "down up", "gone 1")
		}},
		"after a maintenance each that counts": {"    alsocheck=app\n", func(f *flapper) {
			f.breaks("1:81", true)
			r := f.d.meant("10.1.0.1", "")[0]
			_, _ = do(f.t.Context(), f.d, func() int { f.d.takeOut(r, "file"); return 0 })
			time.Sleep(3 * time.Second)
			f.wants("2", "maintenance up", "gone 1")
			_, _ = do(f.t.Context(), f.d, func() int { f.d.backToWork(r); return 0 })
			time.Sleep(time.Second)
			f.wants("2", "down up", "still gone 1")
			f.breaks("1:81", false)
			time.Sleep(2 * time.Second)
			f.wants("1 2", "up up", "back 1")
		}},
		"a real server that was in stays in until it failed as often": {"    alsocheck=app\n", func(f *flapper) {
			f.end()
			f.breaks("1:81", true)
			f.text = strings.Replace(f.text, "failurecount=2", "failurecount=3", 1)
			f.begin()
			f.wants("1 2", "up up", "")
			time.Sleep(4 * time.Second)
			f.wants("2", "down up", "gone 1")
		}},
		"flap damping counts them together": {"    alsocheck=app\n    flapdamping = 2 in 60s\n", func(f *flapper) {
			for _, port := range []string{"80", "81"} {
				f.breaks("1:"+port, true)
				time.Sleep(5 * time.Second)
				f.breaks("1:"+port, false)
				time.Sleep(3 * time.Second)
			}
			f.wants("2", "damped up", "gone 1, back 1, gone 1, damped 1")
			f.breaks("2:80", true)
			time.Sleep(2 * time.Second)
			f.wants("1", "up down", "damping over 1, gone 2, back 1")
		}},
	} {
		t.Run(name, func(t *testing.T) { playSeveral(t, tt.more, tt.play) })
	}
}

// playSeveral plays with real servers that have several checks, in a time of its own.
func playSeveral(t *testing.T, more string, play func(f *flapper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newSeveral(t, more)
		defer func() { f.end() }()
		play(f)
	})
}

// TestReloadOfSeveral keeps what each check has found out over reloads that change which there
// are and which are needed.
func TestReloadOfSeveral(t *testing.T) {
	const also, other, one = "    alsocheck=app\n", "    real=10.1.0.3:80 masq\n", "    checksneeded=1\n"
	for name, tt := range map[string]struct {
		more string
		play func(f *flapper)
	}{
		"half of its failures": {also, func(f *flapper) {
			f.breaks("1:81", true)
			time.Sleep(2 * time.Second)
			f.loads(severalText + other + also)
			time.Sleep(2 * time.Second)
			f.wants("2 3", "down up up", "gone 1")
		}},
		"a new check, which fails": {"", func(f *flapper) {
			f.breaks("1:81", true)
			f.loads(severalText + also)
			f.wants("1 2", "up up", "")
			for range 50 {
				time.Sleep(100 * time.Millisecond)
				if r := f.snapshot().Virtuals[0].Reals[0]; r.State == report.StateDown != (r.EachCheck[1].Checks.Down >= 2) {
					f.t.Errorf("%s after %d failed checks", r.State, r.EachCheck[1].Checks.Down)
				}
			}
			f.wants("2", "down up", "gone 1")
		}},
		"the check that fails is gone": {also, func(f *flapper) {
			f.breaks("1:81", true)
			time.Sleep(5 * time.Second)
			f.wants("2", "down up", "gone 1")
			f.loads(severalText)
			time.Sleep(1500 * time.Millisecond)
			f.wants("1 2", "up up", "back 1")
		}},
		"the check that is up is gone": {also + one, func(f *flapper) {
			f.breaks("1:80", true)
			time.Sleep(2 * time.Second)
			f.loads(severalText)
			time.Sleep(1500 * time.Millisecond)
			f.wants("2", "down up", "gone 1")
		}},
		"fewer are needed": {also, func(f *flapper) {
			f.breaks("1:80", true)
			time.Sleep(2 * time.Second)
			f.wants("2", "down up", "gone 1")
			f.loads(severalText + also + one)
			time.Sleep(time.Millisecond)
			f.wants("1 2", "up up", "back 1")
		}},
		"more are needed": {also + one, func(f *flapper) {
			f.breaks("1:80", true)
			time.Sleep(2 * time.Second)
			f.wants("1 2", "up up", "")
			f.loads(severalText + also)
			time.Sleep(time.Millisecond)
			f.wants("2", "down up", "gone 1")
		}},
		"another order of the same": {also + "    alsocheck=db\n", func(f *flapper) {
			f.breaks("1:81", true)
			time.Sleep(2 * time.Second)
			f.loads(severalText + "    alsocheck=db\n" + also)
			time.Sleep(2 * time.Second)
			f.wants("2", "down up", "gone 1")
		}},
		"another check in its place": {"", func(f *flapper) {
			f.breaks("1:82", true)
			f.loads(strings.Replace(severalText, "10.1.0.1:80 masq", "10.1.0.1:80 masq 1 check=db", 1))
			time.Sleep(1500 * time.Millisecond)
			f.wants("2", "down up", "gone 1")
		}},
	} {
		t.Run(name, func(t *testing.T) { playSeveral(t, tt.more, tt.play) })
	}
}

// TestSeveralUnchecked has a check that takes a minute: a new real server waits for it only if it
// counts, and one that was in service stays.
func TestSeveralUnchecked(t *testing.T) {
	for _, tt := range []struct {
		name, more, in, states string
		code                   report.ReasonCode
	}{
		{"all are needed", "", "", "unchecked unchecked", report.ReasonUnchecked},
		{"one is needed", "    checksneeded=1\n", "1 2", "up up", report.ReasonUp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := ipvs.NewMemory()
				d := New(Options{Table: table, Sink: func(event.Event) {}, Ask: func(ctx context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
					if strings.Contains(c.String(), ":81") {
						select {
						case <-time.After(time.Minute):
						case <-ctx.Done():
						}
					}
					return engine.Result{Attempts: 1}
				}})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- d.Run(ctx, configured(t, severalText+"    alsocheck=app\n"+tt.more)) }()
				<-d.Ready()
				f := &flapper{t: t, d: d, table: table}
				time.Sleep(5 * time.Second)
				f.wants(tt.in, tt.states, "")
				if why := f.why(); why.Code != tt.code || !strings.Contains(why.Because, "app has not finished yet") {
					t.Errorf("why: %s, %s", why.Code, why.Because)
				}
				time.Sleep(time.Minute)
				f.wants("1 2", "up up", "")
				cancel()
				<-ended
			})
		})
	}
}

// TestSeveralShown has each check in what readers see.
func TestSeveralShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSeveral(t, "    alsocheck=app\n    alsocheck=db\n    checksneeded=2\n    real=10.1.0.3:80 masq\n")
		defer func() { f.end() }()
		f.breaks("1:81", true)
		time.Sleep(5 * time.Second)
		why := f.why()
		if why.Code != report.ReasonFailing || !strings.Contains(why.Because, "2 of 3 checks are up, 2 needed; app is down, its last 3 checks failed") {
			t.Errorf("why: %s, %s", why.Code, why.Because)
		}
		var names []string
		for _, c := range why.EachCheck {
			names = append(names, c.Name+" "+string(c.State))
		}
		if got := strings.Join(names, ", "); got != "connect up, app down, db up" || why.ChecksNeeded != 2 {
			t.Errorf("the checks are %s, %d needed", got, why.ChecksNeeded)
		}
		answers := map[string]bool{}
		for _, a := range why.Answers {
			answers[a.Check] = true
		}
		if len(answers) != 3 {
			t.Errorf("answers are of %v, want each check", answers)
		}
		r := f.snapshot().Virtuals[0].Reals[0]
		total := uint64(0)
		for _, c := range r.EachCheck {
			total += c.Checks.Up + c.Checks.Down
			if c.Last == nil || len(c.Latencies) == 0 {
				t.Errorf("%s has no result: %+v", c.Name, c)
			}
		}
		if r.Checks.Up+r.Checks.Down != total || r.Checks.Down == 0 || !r.Up || r.Last.Text != "app: refused" {
			t.Errorf("together: %+v, %+v", r.Checks, r.Last)
		}
		f.breaks("1:80", true)
		time.Sleep(2 * time.Second)
		if why := f.why(); why.Code != report.ReasonDown || !strings.Contains(why.Because, "1 of 3 checks is up") && !strings.Contains(why.Because, "1 of 3 checks are up") {
			t.Errorf("why: %s, %s", why.Code, why.Because)
		}
	})
}

// TestOneCheckIsAsBefore has no trace of several checks where there is one.
func TestOneCheckIsAsBefore(t *testing.T) {
	c := configured(t, severalText)
	for _, v := range prepare(c, maintenance.Taken{}, time.Now()).virtuals {
		for _, r := range v.Reals {
			if virtual.SeveralOf(r) != nil || v.Conf.Named(conf.CheckUse{}) != v.Conf {
				t.Errorf("%s has several checks", r.Name())
			}
		}
	}
}
