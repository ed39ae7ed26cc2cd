package daemon

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// TestPresent reads the addresses of this host at most each second. What is not known is here.
func TestPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vip := netip.MustParseAddr("10.0.0.1")
		reads, here, failed := 0, map[netip.Addr]bool{}, error(nil)
		p := &present{read: func() (map[netip.Addr]bool, error) {
			reads++
			if failed != nil {
				return nil, failed
			}
			return here, nil
		}}
		v, mark := &conf.VirtualService{Addr: vip}, &conf.VirtualService{Protocol: conf.FWM, Mark: 7}
		expect := func(when string, v *conf.VirtualService, want bool, wantReads int) {
			t.Helper()
			if got := p.has(v); got != want || reads != wantReads {
				t.Errorf("%s: %v after %d reads, want %v after %d", when, got, reads, want, wantReads)
			}
		}
		expect("a mark without an address", mark, true, 0)
		expect("elsewhere", v, false, 1)
		here = map[netip.Addr]bool{vip: true}
		expect("at the same moment", v, false, 1)
		time.Sleep(time.Second)
		expect("a second later", v, true, 2)
		here = map[netip.Addr]bool{vip: false}
		time.Sleep(time.Second)
		expect("on lo alone", v, false, 3)
		failed = errors.New("no netlink")
		time.Sleep(time.Second)
		expect("not known", v, true, 4)
	})
}

// TestPresentReports says of each virtual address whether this director mails for it, and since when.
func TestPresentReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		here, failed := map[netip.Addr]bool{two: true}, error(nil)
		p := &present{read: func() (map[netip.Addr]bool, error) { return here, failed }}
		begin := time.Now()
		expect := func(when, want string) {
			t.Helper()
			var got []string
			for _, s := range p.report() {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %v %v %s", s.Address, s.Active, s.Since.Sub(begin), s.Error)))
			}
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("%s: %q, want %q", when, text, want)
			}
			time.Sleep(time.Minute)
		}
		mark := &conf.VirtualService{Protocol: conf.FWM, Mark: 7}
		cfg := &conf.Config{Virtuals: []*conf.VirtualService{{Addr: two}, {Addr: one, Port: 80}, {Addr: one, Port: 443}, mark}}
		p.use(cfg)
		expect("notify = always", "")
		cfg.NotifyActive = true
		p.use(cfg)
		expect("standby of one", "10.0.0.1 false 1m0s, 10.0.0.2 true 1m0s")
		here = map[netip.Addr]bool{one: true, two: true}
		expect("active of both", "10.0.0.1 true 2m0s, 10.0.0.2 true 1m0s")
		p.use(cfg)
		expect("a reload", "10.0.0.1 true 2m0s, 10.0.0.2 true 1m0s")
		failed = errors.New("no netlink")
		expect("not known", "10.0.0.1 true 2m0s no netlink, 10.0.0.2 true 1m0s no netlink")
		here, failed = map[netip.Addr]bool{}, nil
		expect("standby of both", "10.0.0.1 false 5m0s, 10.0.0.2 false 5m0s")
		cfg.NotifyActive = false
		p.use(cfg)
		expect("notify = always again", "")
		if got := (*present)(nil).report(); got != nil {
			t.Errorf("a dry run: %v", got)
		}
	})
}
