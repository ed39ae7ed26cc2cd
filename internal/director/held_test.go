package director

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ldirectord/ldirectord/ipvs"
)

// TestSlots does the same things to slots and to a map.
func TestSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.Custom(func(t *rapid.T) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, rapid.Byte().Draw(t, "host")}), rapid.Uint16Range(80, 81).Draw(t, "port"))
		})
		drawn := rapid.SliceOf(rapid.Custom(func(t *rapid.T) slot {
			return slot{at: address.Draw(t, "at"), weight: rapid.Int().Draw(t, "weight")}
		})).Draw(t, "slots")
		want := map[netip.AddrPort]slot{}
		for _, s := range drawn {
			want[s.at] = s
		}
		got := newSlots(drawn)
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			s := slot{at: address.Draw(t, "at"), weight: rapid.Int().Draw(t, "weight")}
			if rapid.Bool().Draw(t, "remove") {
				got.remove(s.at)
				delete(want, s.at)
				continue
			}
			got.put(s)
			want[s.at] = s
		}
		if len(got) != len(want) {
			t.Fatalf("%d slots, want %d", len(got), len(want))
		}
		for i, s := range got {
			if i > 0 && got[i-1].at.Compare(s.at) >= 0 {
				t.Errorf("%s comes before %s", got[i-1].at, s.at)
			}
			if there, ok := got.of(s.at); !ok || there != want[s.at] {
				t.Errorf("at %s is %+v, want %+v", s.at, there, want[s.at])
			}
		}
	})
}

func TestSlotSame(t *testing.T) {
	a := slot{at: netip.MustParseAddrPort("10.1.0.1:80"), forward: ipvs.Masq, weight: 1}
	heavier, local := a, a
	heavier.weight, local.forward = 2, ipvs.Local
	kept := a
	kept.role = ofFallback
	for name, tt := range map[string]struct {
		other slot
		same  bool
	}{
		"itself":          {a, true},
		"another weight":  {heavier, false},
		"somebody else's": {kept, true},
		// Old kernels turn the method of a local address into Local.
		"delivered locally": {local, true},
	} {
		if got := a.same(tt.other); got != tt.same {
			t.Errorf("%s: same is %t, want %t", name, got, tt.same)
		}
	}
	d := ipvs.Destination{AddrPort: a.at, Forward: ipvs.Tunnel, Weight: 3, Upper: 4, Lower: 2}
	if diff := cmp.Diff(d, slotOf(d).destination(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("a destination after its way through a slot (-want +got):\n%s", diff)
	}
}

// Two real servers that are one entry of the kernel, since gate keeps the virtual
// service's port: it is in service while one of them is well.
func TestTwoRealServersOneEntry(t *testing.T) {
	for _, quiescent := range []string{"no", "yes"} {
		t.Run("quiescent "+quiescent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := goLive(t, ipvs.NewMemory(), "checkinterval=5\nquiescent="+quiescent+"\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n"+
					"    real=10.1.0.1:8001 gate 2\n    real=10.1.0.1:8002 gate 3\n    fallback=127.0.0.1:80 masq\n")
				defer l.end()
				none := "127.0.0.1:80 -w 1"
				if quiescent == "yes" {
					none = "10.1.0.1:80 -w 0, " + none
				}
				for _, step := range []struct {
					down bool
					real string
					want string
				}{
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 3"},
					{true, "10.1.0.1:8002", "10.1.0.1:80 -w 2"},
					{true, "10.1.0.1:8001", none},
					{false, "10.1.0.1:8002", "10.1.0.1:80 -w 3"},
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 3"},
					{true, "10.1.0.1:8001", "10.1.0.1:80 -w 3"},
					{true, "10.1.0.1:8002", none},
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 2"},
				} {
					l.set(step.down, step.real)
					time.Sleep(time.Minute)
					if got := destinations(saved(t, l.table)); got != step.want {
						t.Errorf("%s down: %v: destinations %q, want %q; the log:\n%s", step.real, step.down, got, step.want, l.logged())
					}
				}
			})
		})
	}
}
