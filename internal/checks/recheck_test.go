package checks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// A request to check now says which checks begin, which follow one that is running, and
// which wait for others.
func TestRecheck(t *testing.T) {
	cfg, err := conf.Parse("t.cf", []byte("checkinterval=3600\nnegotiatetimeout=7\nvirtual=10.0.0.1:80\n    service=http\n"+
		"    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\nvirtual=10.0.0.2:80\n    service=http\n    checktype=external\n    checkcommand=/bin/true\n"+
		"    real=10.1.0.3:80 masq\n    real=10.1.0.4:80 masq\n    real=10.1.0.5:80 masq\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		hold, slow := make(chan struct{}), false
		s := New(Options{Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
			if slow {
				<-hold
			}
			return engine.Result{}
		}})
		s.Begin(ctx, cfg)
		var virtuals []*virtual.Service
		for i, c := range cfg.Virtuals {
			virtuals = append(virtuals, virtual.New(c, i, time.Now()))
		}
		s.Use(virtuals)
		time.Sleep(time.Minute)
		synctest.Wait()
		want := func(when, want string, checks ...*virtual.Check) {
			t.Helper()
			if got := s.Recheck(checks...).String(); got != want {
				t.Errorf("%s:\n%s, want\n%s", when, got, want)
			}
		}
		http, external := s.List[:2], s.List[2:]
		want("none", "no check begins: nothing is asked (checktype = on or off)")
		want("all are idle", "5 checks begin now", s.List...)
		time.Sleep(time.Minute)
		synctest.Wait()
		slow = true
		want("one", "1 check begins now", http[0])
		time.Sleep(time.Second)
		synctest.Wait()
		want("one is running", "1 check is running, and begins again after that, within 7s", http[0])
		want("one of two is running", "1 check begins now; 1 check is running, and begins again after that, within 7s", http...)
		s.room = func(checker.Checker) (free, most int) { return 2, 256 }
		want("a limit", "2 checks begin now; 1 check waits for others to end: 256 run at a time", external...)
		close(hold)
		cancel()
		s.End()
	})
}
