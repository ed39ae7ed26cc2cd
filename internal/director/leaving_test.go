package director

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// has compares the real servers' weights in the table: "1=0 2=1" is one with weight 0 and one in service.
func (f *flapper) has(want string) {
	f.t.Helper()
	synctest.Wait()
	entries, err := f.table.Read()
	if err != nil || len(entries) != 1 {
		f.t.Fatalf("%v, %v", entries, err)
	}
	var got []string
	for _, d := range slices.SortedFunc(slices.Values(entries[0].Destinations), func(a, b ipvs.Destination) int { return cmp.Compare(a.AddrPort.String(), b.AddrPort.String()) }) {
		got = append(got, fmt.Sprintf("%s=%d", strings.TrimSuffix(strings.TrimPrefix(d.AddrPort.String(), "10.1.0."), ":80"), d.Weight))
	}
	if is := strings.Join(got, " "); is != want {
		f.t.Errorf("the table has %s, want %s", is, want)
	}
}

// dies lets the checks of a real server fail until it is down, and works until it is up.
func (f *flapper) dies(host string)  { f.breaks(host, true); time.Sleep(2 * time.Second) }
func (f *flapper) works(host string) { f.breaks(host, false); time.Sleep(2 * time.Second) }

func (f *flapper) maintains(host string, in bool) {
	f.t.Helper()
	out := map[netip.AddrPort]string{}
	if in {
		out[netip.MustParseAddrPort("10.1.0."+host+":80")] = "web" + host
	}
	_, err := do(f.t.Context(), f.d, func() struct{} {
		f.d.maintained(maintenance.Report{Taken: maintenance.Taken{Out: out}})
		return struct{}{}
	})
	if err != nil {
		f.t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
}

// becomes reloads the configuration with a part of it replaced.
func (f *flapper) becomes(old, new string) {
	f.t.Helper()
	f.text = strings.Replace(f.text, old, new, 1)
	f.reload(f.text)
	time.Sleep(2 * time.Second)
}

func (f *flapper) because(host string) string {
	f.t.Helper()
	reasons, err := f.d.Why(f.t.Context(), "10.1.0."+host, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return string(reasons[0].Code) + ": " + reasons[0].Because
}

// A leavingCase is what happens to real servers that leave by their checks.
type leavingCase struct {
	more string // of the virtual service
	play func(f *flapper)
}

func (c leavingCase) states() string {
	if strings.Contains(c.more, "backup") {
		return "up up up up"
	}
	return "up up up"
}

func playLeaving(t *testing.T, directive string, cases map[string]leavingCase) {
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := strings.Replace(flapperText, "    flapdamping = 3 in 60s\n", directive, 1)
				f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: text + tt.more}
				f.begin()
				defer func() { f.end() }()
				f.wants("1 2 3", tt.states(), "")
				tt.play(f)
			})
		})
	}
}

// TestQuiescentTime plays what happens to a real server that has weight 0 for 30 s, in many orders.
func TestQuiescentTime(t *testing.T) {
	playLeaving(t, "    quiescenttime = 30\n", map[string]leavingCase{
		"its time": {play: func(f *flapper) {
			f.dies("1")
			f.has("1=0 2=1 3=1")
			if words := f.because("1"); !strings.Contains(words, "; weight 0 until ") {
				f.t.Error(words)
			}
			time.Sleep(27 * time.Second) // 30 s from its verdict on, which came within a second
			f.has("1=0 2=1 3=1")
			time.Sleep(4 * time.Second)
			f.has("2=1 3=1")
			if words := f.because("1"); !strings.Contains(words, "; removed at ") {
				f.t.Error(words)
			}
			f.works("1")
			f.has("1=1 2=1 3=1")
			if r := f.snapshot().Virtuals[0].Reals[0]; !r.QuiescentUntil.IsZero() {
				f.t.Errorf("a real server that is up has weight 0 until %v", r.QuiescentUntil)
			}
			f.wants("1 2 3", "up up up", "gone 1, back 1")
		}},
		"back within its time": {play: func(f *flapper) {
			f.dies("1")
			time.Sleep(20 * time.Second)
			f.works("1")
			f.has("1=1 2=1 3=1")
			f.dies("1")
			time.Sleep(20 * time.Second)
			f.has("1=0 2=1 3=1") // it begins anew
		}},
		"all are gone": {play: func(f *flapper) {
			for _, host := range []string{"1", "2", "3"} {
				f.dies(host)
			}
			f.has("1=0 2=0 3=0 127.0.0.1=1")
			time.Sleep(35 * time.Second)
			f.has("127.0.0.1=1")
		}},
		"a first check that fails": {play: func(f *flapper) {
			f.breaks("4", true)
			f.becomes("    real=10.1.0.3:80 masq\n", "    real=10.1.0.3:80 masq\n    real=10.1.0.4:80 masq\n")
			f.has("1=1 2=1 3=1 4=0")
			time.Sleep(31 * time.Second)
			f.has("1=1 2=1 3=1")
		}},
		"drained and disabled ones keep weight 0": {play: func(f *flapper) {
			f.orders(report.Drain, "1")
			f.orders(report.Disable, "2")
			time.Sleep(time.Hour)
			f.has("1=0 2=0 3=1")
		}},
		"it dies while it is drained": {play: func(f *flapper) {
			f.orders(report.Drain, "1")
			time.Sleep(time.Minute)
			f.dies("1")
			f.has("1=0 2=1 3=1")
			time.Sleep(30 * time.Second)
			f.has("2=1 3=1")
			f.works("1")
			f.has("1=0 2=1 3=1") // up, and drained
			f.orders(report.Enable, "1")
			f.has("1=1 2=1 3=1")
		}},
		"an order does not put it back": {play: func(f *flapper) {
			f.dies("1")
			time.Sleep(31 * time.Second)
			f.orders(report.Disable, "1")
			f.has("2=1 3=1")
			f.orders(report.Enable, "1")
			f.has("2=1 3=1")
		}},
		"maintenance": {play: func(f *flapper) {
			f.maintains("1", true)
			f.breaks("1", true)
			time.Sleep(time.Hour)
			f.has("1=0 2=1 3=1")
			f.maintains("1", false) // its check fails: from now on
			f.has("1=0 2=1 3=1")
			time.Sleep(25 * time.Second)
			f.has("1=0 2=1 3=1")
			time.Sleep(6 * time.Second)
			f.has("2=1 3=1")
			f.maintains("1", true)
			f.has("2=1 3=1")
			f.maintains("1", false)
			f.works("1")
			f.has("1=1 2=1 3=1")
		}},
		"minalive keeps it": {"    minalive=3\n", func(f *flapper) {
			f.dies("1")
			time.Sleep(time.Minute)
			f.has("1=1 2=1 3=1")
			f.becomes("minalive=3", "minalive=2") // it leaves now
			time.Sleep(25 * time.Second)
			f.has("1=0 2=1 3=1")
			time.Sleep(5 * time.Second)
			f.has("2=1 3=1")
		}},
		"below the quorum": {"    quorum=2\n", func(f *flapper) {
			f.dies("1")
			f.dies("2")
			f.has("1=0 2=0 3=0 127.0.0.1=1")
			time.Sleep(31 * time.Second)
			f.has("3=0 127.0.0.1=1") // the living one has not died
		}},
		"an idle backup server": {"    backup=10.1.0.4:80 masq\n", func(f *flapper) {
			f.has("1=1 2=1 3=1 4=0")
			f.dies("4")
			time.Sleep(31 * time.Second)
			f.has("1=1 2=1 3=1")
			f.works("4")
			f.has("1=1 2=1 3=1 4=0")
		}},
		"flapdamping": {"    flapdamping = 2 in 60s\n", func(f *flapper) {
			f.flaps("1", 2)
			f.has("1=0 2=1 3=1")
			time.Sleep(30 * time.Second)
			f.has("2=1 3=1") // its checks are good, and it is down
			time.Sleep(30 * time.Second)
			f.has("1=1 2=1 3=1")
		}},
		"reload": {play: func(f *flapper) {
			f.dies("1")
			time.Sleep(10 * time.Second)
			f.becomes("scheduler", "scheduler")
			time.Sleep(15 * time.Second)
			f.has("1=0 2=1 3=1")
			time.Sleep(5 * time.Second)
			f.has("2=1 3=1")
			f.becomes("quiescenttime = 30", "quiescenttime = 2m") // a part of it is left
			f.has("1=0 2=1 3=1")
			f.becomes("quiescenttime = 2m", "quiescenttime = 5s")
			f.has("2=1 3=1")
			f.becomes("quiescenttime = 5s", "quiescent = yes")
			f.has("1=0 2=1 3=1")
			f.becomes("quiescent = yes", "quiescenttime = 30") // from then on
			f.has("1=0 2=1 3=1")
			f.becomes("quiescenttime = 30", "quiescenttime = none")
			f.has("2=1 3=1")
		}},
		"restart": {play: func(f *flapper) {
			f.dies("1")
			f.end()
			time.Sleep(10 * time.Second)
			f.begin()
			f.has("1=0 2=1 3=1")
			time.Sleep(17 * time.Second)
			f.has("2=1 3=1")
			f.end()
			f.begin()
			f.has("2=1 3=1")
			f.end()
			f.text = strings.Replace(f.text, "cleanstop=no", "cleanstop=yes", 1)
			f.begin()
			f.end()
			f.begin()
			f.has("2=1 3=1") // it is not put back with weight 0
			f.works("1")
			f.has("1=1 2=1 3=1")
		}},
		"somebody deletes it, and puts it back": {play: func(f *flapper) {
			f.dies("1")
			time.Sleep(31 * time.Second)
			f.has("2=1 3=1")
			entries, _ := f.table.Read()
			add := ipvs.Change{Op: ipvs.AddDestination, Service: entries[0].Service, Destination: ipvs.Destination{AddrPort: netip.MustParseAddrPort("10.1.0.1:80"), Forward: ipvs.Masq, Weight: 3}}
			if err := f.table.Apply(add); err != nil {
				f.t.Fatal(err)
			}
			time.Sleep(time.Minute)
			f.has("2=1 3=1")
		}},
	})
}

// TestQuiescentTimeOfSharedEntries has two real servers that are one entry of the table: it stays while
// one of them keeps it.
func TestQuiescentTimeOfSharedEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}}
		f.text = "checkinterval=1\ncleanstop=no\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 gate\n    real=10.1.0.1:81 gate\n    real=10.1.0.3:80 gate\n    checktype=connect\n    quiescenttime = 30\n    return = byhand\n"
		f.begin()
		defer func() { f.end() }()
		f.breaks("1:80", true)
		time.Sleep(40 * time.Second)
		f.has("1=1 3=1")
		f.breaks("1:81", true)
		time.Sleep(20 * time.Second)
		f.has("1=0 3=1")
		time.Sleep(15 * time.Second)
		f.has("3=1")
		f.breaks("1:80", false)
		f.breaks("1:81", false)
		time.Sleep(2 * time.Second)
		f.has("3=1")
		if _, _, err := f.d.Obey(t.Context(), report.Order{Verb: report.Enable, Real: "10.1.0.1:81"}); err != nil {
			t.Fatal(err)
		}
		f.has("1=1 3=1")
		f.end()
		f.begin()
		f.has("1=1 3=1")
		if !strings.HasPrefix(f.because("1:80"), "waiting: ") {
			t.Error(f.because("1:80"))
		}
	})
}

// A clock that is set back keeps weight 0 for no longer than quiescenttime.
func TestQuiescentTimeBeforeTheClockWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{"1": true}, text: strings.Replace(flapperText, "flapdamping = 3 in 60s", "quiescenttime = 30", 1)}
		f.options.Gone = []state.Gone{{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Dead: time.Now().AddDate(1, 0, 0)}}
		f.begin()
		defer func() { f.end() }()
		f.has("1=0 2=1 3=1")
		time.Sleep(28 * time.Second)
		f.has("2=1 3=1")
		f.works("1")
		f.has("1=1 2=1 3=1")
	})
}
