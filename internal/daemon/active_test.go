package daemon

import (
	"errors"
	"net/netip"
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
