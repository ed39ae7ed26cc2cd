package announce

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A hostTest notes the addresses of each setup: "1 2".
type hostTest struct {
	*fakeNet
	fails error
}

func (h *hostTest) setup(vips ...int) HostSetup {
	s := HostSetup{Uncounted: []netip.Addr{vip(4)}}
	for _, n := range vips {
		s.Addresses = append(s.Addresses, vip(n))
	}
	s.Do = func(_ context.Context, has func(netip.Addr) bool) (err error) {
		var words []string
		for _, n := range vips {
			if has(vip(n)) {
				words = append(words, fmt.Sprint(n))
			}
		}
		h.note("has %s", strings.Join(words, " "))
		h.locked(func() { err = h.fails })
		return err
	}
	return s
}

func (h *hostTest) fail(err error) { h.locked(func() { h.fails = err }) }

// known are states of addresses: "1 -2 ?3" is one that is served, one that is not, and one
// whose first checks go on. "x4" is withdrawn by order.
func known(text string) (list []report.AddressState) {
	for word := range strings.FieldsSeq(text) {
		at := report.AddressState{Checked: word[0] != '?', Served: word[0] >= '0' && word[0] <= '9'}
		if word[0] == 'x' {
			at.Withdrawn = &report.Override{}
		}
		at.Address = netip.MustParseAddr("10.0.0." + strings.TrimLeft(word, "-?x"))
		list = append(list, at)
	}
	return list
}

// expectHost compares the setups since the last call.
func (h *hostTest) expect(t *testing.T, when, want string) {
	t.Helper()
	if got := h.took(); got != want {
		t.Errorf("%s: %q, want %q", when, got, want)
	}
}

// TestHost follows addresses from the start to the stop: each comes with its first checks, and
// stays, served or not.
func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hostTest{fakeNet: newNet()}
		a := NewHost(h.log, h.setup(1, 2, 3, 4), nil)
		a.Start()
		h.expect(t, "before the table is known", "")
		a.Set(known("?1 ?2 ?3"))
		h.expect(t, "before the first checks", "")
		a.Set(known("1 -2 ?3"))
		h.expect(t, "the first checks of two", "has 1 2")
		a.Set(known("-1 -2 ?3"))
		h.expect(t, "one is dead", "")
		a.Set(known("-1 -2 3"))
		h.expect(t, "the third, and the one that does not count", "has 1 2 3 4")
		a.Set(known("-1 x2 3"))
		h.expect(t, "withdrawn by order", "has 1 3 4")
		a.Set(known("-1 2 3"))
		h.expect(t, "announced again", "has 1 2 3 4")
		a.Use(h.setup(2, 3, 5))
		h.expect(t, "a reload", "has 2 3")
		a.Set(known("2 3 ?5"))
		a.Set(known("2 3 -5"))
		h.expect(t, "the first checks of what is new", "has 2 3 5")
		a.Withdraw(t.Context(), func(addr netip.Addr) bool { return addr == vip(3) })
		h.expect(t, "the stop, with one that stays", "has 3")
	})
}

// TestHostRestart keeps what an earlier daemon has added.
func TestHostRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hostTest{fakeNet: newNet()}
		a := NewHost(h.log, h.setup(1, 2), []netip.Addr{vip(1), vip(9)})
		a.Start()
		a.Set(known("?1 ?2"))
		h.expect(t, "an address that has left the file goes", "has 1")
		a.Set(known("-1 2"))
		h.expect(t, "the first checks", "has 1 2")
		a.Leave()
		h.expect(t, "a restart", "")
	})
}

// TestHostTries tries failed steps again in 10 s, and a taken address every 30 s.
func TestHostTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hostTest{fakeNet: newNet()}
		h.fail(errors.New("no device"))
		a := NewHost(h.log, h.setup(1), nil)
		a.Start()
		a.Set(known("1"))
		h.expect(t, "a failure", "has 1")
		time.Sleep(9 * time.Second)
		h.expect(t, "9 s later", "")
		h.fail(fmt.Errorf("02:00:00:00:00:09: %w", ErrTaken))
		time.Sleep(2 * time.Second)
		h.expect(t, "11 s later", "has 1")
		if got := a.Faults(); len(got) != 1 || !strings.Contains(got[0].Error, "02:00:00:00:00:09") {
			t.Errorf("faults of a taken address: %v", got)
		}
		time.Sleep(28 * time.Second)
		h.expect(t, "before the next try", "")
		h.fail(nil)
		time.Sleep(3 * time.Second)
		h.expect(t, "the next try", "has 1")
		if got := a.Faults(); len(got) != 0 {
			t.Errorf("faults afterwards: %v", got)
		}
		time.Sleep(time.Hour)
		h.expect(t, "an hour later", "")
		a.Leave()
	})
}

// TestHostFailsAtTheStop has what is logged of a setup that fails at the stop. Without addresses none
// was to be withdrawn.
func TestHostFailsAtTheStop(t *testing.T) {
	for name, tt := range map[string]struct {
		vips []int
		want string
	}{
		"with an address": {[]int{1}, "Host setup: withdrawing the addresses failed: no device; the virtual services leave the table all the same"},
		"without any":     {nil, "Host setup failed at the stop: no device; the virtual services leave the table all the same"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hostTest{fakeNet: newNet()}
				a := NewHost(h.log, h.setup(tt.vips...), nil)
				a.Start()
				a.Set(known("1"))
				h.took()
				h.fail(errors.New("no device"))
				a.Withdraw(t.Context(), stayNone)
				var got []string
				h.locked(func() { got = h.logged })
				if len(got) != 1 || got[0] != tt.want {
					t.Errorf("the log is %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestHostBegan tries a setup again that has failed at the start, also without addresses.
func TestHostBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hostTest{fakeNet: newNet()}
		a := NewHost(h.log, h.setup(), nil)
		a.Began(errors.New("read-only file system"))
		a.Start()
		a.Set(known("1"))
		h.expect(t, "before the next try", "")
		if got := a.Faults(); len(got) != 1 || !strings.Contains(got[0].Error, "read-only") {
			t.Errorf("the faults are %v", got)
		}
		time.Sleep(11 * time.Second)
		h.expect(t, "the next try", "has ")
		if got := a.Faults(); len(got) != 0 {
			t.Errorf("faults afterwards: %v", got)
		}
		a.Leave()
	})
}
