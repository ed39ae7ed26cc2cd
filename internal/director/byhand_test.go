package director

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestReturnByHand plays what happens to a real server that comes back by an operator alone, in many
// orders.
func TestReturnByHand(t *testing.T) {
	playLeaving(t, "    return = byhand\n", map[string]leavingCase{
		"enable": {play: func(f *flapper) {
			f.dies("1")
			f.wants("2 3", "down up up", "gone 1")
			if words := f.because("1"); !strings.HasPrefix(words, "down: ") || !strings.HasSuffix(words, "ldirectord enable 10.1.0.1:80") {
				f.t.Error(words)
			}
			f.works("1")
			time.Sleep(time.Hour)
			f.wants("2 3", "waiting up up", "waiting 1")
			f.has("2=1 3=1")
			if words := f.because("1"); !strings.HasPrefix(words, "waiting: up since ") || !strings.HasSuffix(words, "ldirectord enable 10.1.0.1:80") {
				f.t.Error(words)
			}
			if r := f.snapshot().Virtuals[0].Reals[0]; !r.Up || r.InService || r.OutReason != "waiting" || r.WaitingSince.IsZero() {
				f.t.Errorf("the snapshot: %+v", r)
			}
			if o := f.orders(report.Enable, "1"); o.Remark != "" {
				f.t.Errorf("enable: %q", o.Remark)
			}
			f.wants("1 2 3", "up up up", "ordered 1, back 1")
			if r := f.snapshot().Virtuals[0].Reals[0]; !r.WaitingSince.IsZero() {
				f.t.Errorf("in service, it waits since %v", r.WaitingSince)
			}
			f.dies("1")
			f.works("1")
			f.wants("2 3", "waiting up up", "gone 1, waiting 1") // again
		}},
		"enable before it is up again": {play: func(f *flapper) {
			f.dies("1")
			if o := f.orders(report.Enable, "1"); !strings.Contains(o.Remark, "stays out of service: refused") {
				f.t.Errorf("enable: %q", o.Remark)
			}
			f.wants("2 3", "down up up", "gone 1, ordered 1")
			f.works("1")
			f.wants("1 2 3", "up up up", "back 1")
		}},
		"it fails again while it waits": {play: func(f *flapper) {
			f.dies("1")
			f.works("1")
			f.dies("1")
			f.wants("2 3", "down up up", "gone 1, waiting 1, waiting 1")
			f.works("1")
			f.wants("2 3", "waiting up up", "waiting 1")
		}},
		"without a verdict": {play: func(f *flapper) {
			f.breaks("4", true)
			f.becomes("    real=10.1.0.3:80 masq\n", "    real=10.1.0.3:80 masq\n    real=10.1.0.4:80 masq\n")
			time.Sleep(time.Minute)
			f.has("1=1 2=1 3=1")
			f.works("4")
			f.has("1=1 2=1 3=1 4=1")
		}},
		"disable and enable while it waits": {play: func(f *flapper) {
			f.dies("1")
			f.works("1")
			f.orders(report.Disable, "1")
			f.wants("2 3", "disabled up up", "gone 1, waiting 1, ordered 1")
			f.orders(report.Enable, "1")
			f.wants("1 2 3", "up up up", "ordered 1, back 1")
		}},
		"other orders, and the end of one": {play: func(f *flapper) {
			f.dies("1")
			f.works("1")
			if o := f.orders(report.Weight, "1"); !strings.Contains(o.Remark, "enable 10.1.0.1:80") {
				f.t.Errorf("weight: %q", o.Remark)
			}
			if _, _, err := f.d.Obey(f.t.Context(), report.Order{Verb: report.Drain, Real: "10.1.0.1", For: time.Minute}); err != nil {
				f.t.Fatal(err)
			}
			time.Sleep(62 * time.Second)
			f.wants("2 3", "waiting up up", "gone 1, waiting 1, ordered 1, ordered 1, ordered 1")
		}},
		"it dies while it is drained": {play: func(f *flapper) {
			f.orders(report.Drain, "1")
			f.dies("1")
			f.works("1")
			f.orders(report.Enable, "1")
			f.wants("1 2 3", "up up up", "ordered 1, gone 1, back 1, ordered 1")
			f.orders(report.Disable, "1")
			f.dies("1")
			f.orders(report.Enable, "1")
			f.works("1")
			f.wants("1 2 3", "up up up", "ordered 1, gone 1, ordered 1, back 1")
		}},
		"maintenance": {play: func(f *flapper) {
			f.maintains("1", true)
			f.breaks("1", true)
			f.maintains("1", false)
			f.works("1")
			f.wants("1 2 3", "up up up", "gone 1, still gone 1, back 1") // planned
			f.dies("1")
			f.maintains("1", true)
			f.breaks("1", false)
			f.maintains("1", false)
			f.wants("2 3", "waiting up up", "gone 1, waiting 1")
		}},
		"all wait": {play: func(f *flapper) {
			for _, host := range []string{"1", "2", "3"} {
				f.dies(host)
			}
			for _, host := range []string{"1", "2", "3"} {
				f.works(host)
			}
			f.wants("127.0.0.1", "waiting waiting waiting", "gone 1, gone 2, gone 3, all gone, waiting 1, waiting 2, waiting 3")
			f.orders(report.Enable, "2")
			f.wants("2", "waiting up waiting", "ordered 2, back 2, any back")
		}},
		"it does not count for the quorum": {"    quorum=2\n", func(f *flapper) {
			f.dies("1")
			f.works("1")
			f.dies("2")
			f.wants("127.0.0.1", "waiting down up", "gone 1, waiting 1, gone 2, quorum lost, all gone")
			f.dies("3") // it had left with the quorum, and not by its checks
			f.works("3")
			f.wants("127.0.0.1", "waiting down up", "gone 3, back 3")
			f.orders(report.Enable, "1")
			f.wants("1 3", "up down up", "ordered 1, back 1, quorum regained, any back")
		}},
		"minalive": {"    minalive=1\n", func(f *flapper) {
			f.dies("1")
			f.works("1")
			f.dies("2")
			f.dies("3")
			f.wants("3", "waiting down down", "gone 1, waiting 1, gone 2, gone 3") // one that waits is no help
			f.works("3")
			f.wants("3", "waiting down up", "back 3") // which has never left
			f.dies("3")
			f.orders(report.Enable, "1")
			f.wants("1", "up down down", "gone 3, ordered 1, back 1")
			f.works("3")
			f.wants("1", "up down waiting", "waiting 3") // it left when another one was back
		}},
		"a backup server": {"    backup=10.1.0.4:80 masq\n    backupbelow=3\n", func(f *flapper) {
			f.dies("4")
			f.works("4")
			f.wants("1 2 3", "up up up up", "gone 4, back 4") // it was not in service
			f.dies("1")
			f.works("1")
			f.wants("2 3 4", "waiting up up up", "gone 1, backup in, waiting 1")
			f.dies("4")
			f.works("4")
			f.orders(report.Enable, "4")
			f.wants("2 3 4", "waiting up up up", "gone 4, waiting 4, ordered 4, back 4")
		}},
		"flapdamping": {"    flapdamping = 2 in 60s\n", func(f *flapper) {
			f.flaps("1", 3) // what it does while it waits does not count
			f.wants("2 3", "waiting up up", "gone 1, waiting 1, waiting 1, waiting 1, waiting 1, waiting 1")
		}},
		"slowstart": {"    slowstart=10\n", func(f *flapper) {
			f.becomes("real=10.1.0.1:80 masq", "real=10.1.0.1:80 masq 10")
			f.dies("1")
			f.works("1")
			time.Sleep(time.Minute)
			f.orders(report.Enable, "1")
			f.has("1=1 2=1 3=1")
			time.Sleep(15 * time.Second)
			f.has("1=10 2=1 3=1")
		}},
		"with quiescenttime": {"    quiescenttime = 30\n", func(f *flapper) {
			f.dies("1")
			f.works("1")
			f.has("1=0 2=1 3=1")
			time.Sleep(31 * time.Second)
			f.has("2=1 3=1") // it is not put back to wait
			f.orders(report.Enable, "1")
			f.has("1=1 2=1 3=1")
		}},
		"reload": {play: func(f *flapper) {
			f.dies("1")
			f.works("1")
			f.reload(f.text)
			f.becomes("    real=10.1.0.1:80 masq\n", "")
			f.has("2=1 3=1")
			f.becomes("    real=10.1.0.2:80 masq\n", "    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n")
			f.wants("2 3", "waiting up up", "gone 1, waiting 1, waiting 1")
			f.becomes("return = byhand", "return = auto")
			f.wants("1 2 3", "up up up", "back 1")
			f.dies("1")
			f.becomes("return = auto", "return = byhand")
			f.works("1")
			f.wants("1 2 3", "up up up", "gone 1, back 1") // it left before
		}},
		"enable of one that has left the file": {play: func(f *flapper) {
			f.dies("1")
			f.becomes("    real=10.1.0.1:80 masq\n", "")
			f.orders(report.Enable, "1")
			f.becomes("    real=10.1.0.2:80 masq\n", "    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n")
			f.works("1")
			f.wants("1 2 3", "up up up", "gone 1, back 1")
		}},
		"restart": {play: func(f *flapper) {
			f.dies("1")
			f.end()
			f.breaks("1", false)
			f.begin()
			f.wants("2 3", "waiting up up", "gone 1, waiting 1")
			f.becomes("    real=10.1.0.1:80 masq\n", "")
			f.end()
			f.begin()
			f.becomes("    real=10.1.0.2:80 masq\n", "    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n")
			f.end()
			f.begin()
			f.wants("2 3", "waiting up up", "waiting 1, waiting 1")
			f.orders(report.Enable, "1")
			f.wants("1 2 3", "up up up", "ordered 1, back 1")
			f.end()
			f.breaks("1", true)
			f.begin() // it is found in service
			f.breaks("1", false)
			time.Sleep(2 * time.Second)
			f.wants("2 3", "waiting up up", "gone 1, waiting 1")
			f.end()
			f.text = strings.Replace(f.text, "return = byhand", "return = auto", 1)
			f.begin()
			f.wants("1 2 3", "up up up", "")
			if list := f.d.Gone(); len(list) != 0 {
				f.t.Errorf("kept: %+v", list)
			}
		}},
	})
}

// A clock that is set back changes nothing: enable lets the real server in.
func TestReturnByHandBeforeTheClockWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: strings.Replace(flapperText, "flapdamping = 3 in 60s", "return = byhand", 1)}
		f.options.Gone = []state.Gone{{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Waits: time.Now().AddDate(1, 0, 0)}}
		f.begin()
		defer func() { f.end() }()
		f.wants("2 3", "waiting up up", "waiting 1")
		f.orders(report.Enable, "1")
		f.wants("1 2 3", "up up up", "ordered 1, back 1")
	})
}

// A real server that somebody has put in service while no daemon ran does not wait.
func TestReturnByHandFoundInService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: strings.Replace(flapperText, "flapdamping = 3 in 60s", "return = byhand", 1)}
		f.begin()
		f.end()
		f.d, f.options.Gone = nil, []state.Gone{{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Waits: time.Now()}}
		f.begin()
		defer func() { f.end() }()
		f.wants("1 2 3", "up up up", "")
	})
}

// A real server that the kernel has refused was not in service, and does not wait for an operator.
func TestReturnByHandOfARefusedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &picky{Memory: ipvs.NewMemory()}
		f := &flapper{t: t, table: p, broken: map[string]bool{}, text: strings.Replace(flapperText, "flapdamping = 3 in 60s", "return = byhand", 1)}
		p.refuse("-r 10.1.0.1:80")
		f.begin()
		defer func() { f.end() }()
		f.wants("2 3", "up up up", "")
		f.dies("1")
		p.refuse("-r 10.1.0.9:80")
		f.works("1")
		f.wants("1 2 3", "up up up", "gone 1, back 1")
		p.refuse("-d -t 10.0.0.1:80 -r 10.1.0.1:80")
		f.dies("1") // the kernel keeps it in
		f.works("1")
		p.refuse("-r 10.1.0.9:80")
		time.Sleep(time.Minute)
		f.wants("2 3", "waiting up up", "gone 1, waiting 1")
	})
}

// TestReturnByHandFollowsTheName has a real server whose name gets another address while it waits: it
// waits there, and another port or name does not.
func TestReturnByHandFollowsTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := "10.1.0.1"
		load := func(text string) *conf.Config {
			c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director", LookupHost: func(string, bool) (netip.Addr, error) { return netip.ParseAddr(at) }})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		text := "checkinterval=1\ncleanstop=no\nresolve=60\nvirtual=10.0.0.1:80\n    real=web1:80 masq\n    real=10.1.0.2:80 masq\n    service=http\n    return=byhand\n"
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{}, text: strings.Replace(text, "web1", "10.1.0.1", 1)}
		f.begin()
		defer func() { f.end() }()
		reload := func(text string) {
			if err := f.d.Reload(t.Context(), load(text)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		reload(text)
		f.dies("1")
		at = "10.1.0.7"
		reload(text)
		f.wants("2", "waiting up", "gone 1, waiting 7")
		if list := f.d.Gone(); len(list) != 1 || list[0].Real != "10.1.0.7:80" || list[0].Host != "web1" {
			t.Errorf("kept: %+v", list)
		}
		f.breaks("1", false)
		at = "10.1.0.1"
		reload(text)
		f.wants("2", "waiting up", "waiting 1")
		reload(strings.Replace(text, "web1:80", "web1:81", 1)) // another real server
		if list := f.d.Gone(); len(list) != 1 || list[0].Real != "10.1.0.1:80" {
			t.Errorf("kept: %+v", list)
		}
		reload(text)
		f.orders(report.Enable, "1")
		f.has("1=1 2=1")
	})
}
