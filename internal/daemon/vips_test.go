package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/announce"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestStopIsSeen has a daemon with neither vipcommand nor vipdevice stop: for those who ask whether the
// address is served it is not, at once, and the table goes withdrawdelay later, or that long after an order
// has withdrawn it.
func TestStopIsSeen(t *testing.T) {
	for _, test := range []struct {
		name, head, virtual string
		dead                bool
		delay               time.Duration
		withdrawn           time.Duration // by an order, so long before the stop; 0: by none
		served              bool          // after the stop has begun
		moved               time.Duration // when keepalived has moved the address, after the stop has begun; 0: it has none
	}{
		{name: "as the original"},
		{name: "given", head: "withdrawdelay=3\n", delay: 3 * time.Second},
		{name: "nothing was served", head: "withdrawdelay=3\n", dead: true},
		{name: "the table stays", head: "withdrawdelay=3\n", virtual: "    cleanstop=no\n", served: true},
		{name: "keepalived moves it in time", head: "withdrawdelay=3\n", moved: 2 * time.Second, delay: 3 * time.Second},
		{name: "keepalived moves it late", head: "withdrawdelay=3\n", moved: 6 * time.Second, delay: 6 * time.Second},
		{name: "keepalived does not move it", head: "withdrawdelay=3\n", moved: time.Hour, delay: moveLimit},
		{name: "keepalived asks nothing", moved: time.Hour},
		{name: "keepalived, nothing was served", head: "withdrawdelay=3\n", dead: true, moved: time.Hour},
		{name: "just withdrawn", head: "withdrawdelay=3\n", withdrawn: time.Second, delay: 2 * time.Second},
		{name: "long withdrawn", head: "withdrawdelay=3\n", withdrawn: 4 * time.Second},
		{name: "just withdrawn, keepalived moves it late", head: "withdrawdelay=3\n", withdrawn: time.Second, moved: 6 * time.Second, delay: 6 * time.Second},
		{name: "long withdrawn, keepalived does not move it", head: "withdrawdelay=3\n", withdrawn: time.Minute, moved: time.Hour, delay: moveLimit},
		{name: "with vipcommand", head: "vipcommand=/bin/true\n", delay: 2 * time.Second},
		{name: "with vipcommand, without a delay", head: "vipcommand=/bin/true\nwithdrawdelay=none\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), "announced.json")
			synctest.Test(t, func(t *testing.T) {
				cfg, err := conf.Parse("t.cf", []byte(test.head+"checkinterval=1\nannouncedelay=0\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=connect\n"+test.virtual),
					conf.Options{Hostname: "director"})
				if err != nil {
					t.Fatal(err)
				}
				v := vips{addresses: virtual.NewAddresses(), announcer: announce.New(announce.Options{
					Log: t.Logf, Record: record, Owners: func() map[netip.Addr]string { return nil },
				})}
				v.announcer.Use(announce.Settings{}) // no command is run by a test
				var lines []string
				v.log = func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
				var began time.Time
				if test.moved > 0 {
					v.moves = func(addrs []netip.Addr) func() []netip.Addr {
						return func() []netip.Addr {
							if time.Since(began) >= test.moved {
								return nil
							}
							return addrs
						}
					}
				}
				var answer engine.Result
				if answer.Attempts = 1; test.dead {
					answer.Err = context.DeadlineExceeded
				}
				d := director.New(director.Options{
					Table: ipvs.NewMemory(), Sink: func(event.Event) {}, Addresses: v.addresses,
					Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result { return answer },
				})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- d.Run(ctx, cfg) }()
				time.Sleep(5 * time.Second)
				served := func() bool {
					states, err := v.addresses.States()
					return err == nil && report.AllServed(states)
				}
				if served() == test.dead {
					t.Error("before the stop it is served or not as it should not be")
				}
				if test.withdrawn > 0 {
					if _, _, err := d.Obey(ctx, report.Order{Verb: report.Withdraw, Virtual: "10.0.0.1"}); err != nil {
						t.Error(err)
					}
					time.Sleep(test.withdrawn)
				}
				began = time.Now()
				stopped := make(chan time.Duration, 1)
				v.withdraw(cfg, func() { stopped <- time.Since(began); cancel() })
				if served() != test.served {
					t.Errorf("after the stop has begun, served is %v", !test.served)
				}
				if took := <-stopped; took != test.delay {
					t.Errorf("the table goes after %v, want %v", took, test.delay)
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if late := strings.Contains(strings.Join(lines, "\n"), `keepalived has not moved 10.0.0.1 within 8s: the table goes, and connections of clients that still come here are reset; `+
					`before another stop, run "ldirectord withdraw"`); late != (test.delay == moveLimit) {
					t.Errorf("logged %q", lines)
				}
			})
		})
	}
}
