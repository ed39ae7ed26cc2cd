package table

import (
	"net/netip"
	"testing"

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
		drawn := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Slot {
			return Slot{At: address.Draw(t, "at"), Weight: rapid.Int().Draw(t, "weight")}
		})).Draw(t, "slots")
		want := map[netip.AddrPort]Slot{}
		for _, s := range drawn {
			want[s.At] = s
		}
		got := NewSlots(drawn)
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			s := Slot{At: address.Draw(t, "at"), Weight: rapid.Int().Draw(t, "weight")}
			if rapid.Bool().Draw(t, "remove") {
				got.Remove(s.At)
				delete(want, s.At)
				continue
			}
			got.Put(s)
			want[s.At] = s
		}
		if len(got) != len(want) {
			t.Fatalf("%d slots, want %d", len(got), len(want))
		}
		for i, s := range got {
			if i > 0 && got[i-1].At.Compare(s.At) >= 0 {
				t.Errorf("%s comes before %s", got[i-1].At, s.At)
			}
			if there, ok := got.Of(s.At); !ok || there != want[s.At] {
				t.Errorf("at %s is %+v, want %+v", s.At, there, want[s.At])
			}
		}
	})
}

func TestSlotSame(t *testing.T) {
	a := Slot{At: netip.MustParseAddrPort("10.1.0.1:80"), Forward: ipvs.Masq, Weight: 1}
	heavier, local := a, a
	heavier.Weight, local.Forward = 2, ipvs.Local
	kept := a
	kept.Role = Fallback
	for name, tt := range map[string]struct {
		other Slot
		same  bool
	}{
		"itself":          {a, true},
		"another weight":  {heavier, false},
		"somebody else's": {kept, true},
		// Old kernels turn the method of a local address into Local.
		"delivered locally": {local, true},
	} {
		if got := a.Same(tt.other); got != tt.same {
			t.Errorf("%s: same is %t, want %t", name, got, tt.same)
		}
	}
	d := ipvs.Destination{AddrPort: a.At, Forward: ipvs.Tunnel, Weight: 3, Upper: 4, Lower: 2}
	if diff := cmp.Diff(d, slotOf(d).Destination(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("a destination after its way through a slot (-want +got):\n%s", diff)
	}
}
