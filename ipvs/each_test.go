package ipvs

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What ReadEach hands over, one service at a time, is what Read returns, also for
// a table that has no way of its own.
func TestReadEach(t *testing.T) {
	m := NewMemory()
	for i := range byte(3) {
		s := Service{Key: AddrKey(TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 3 - i}), 80)), Scheduler: "wrr"}
		changes := []Change{{Op: AddService, Service: s}}
		for j := range i { // none, one and two
			dst := Destination{AddrPort: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, 9 - j}), 80), Weight: int(j)}
			changes = append(changes, Change{Op: AddDestination, Service: s, Destination: dst})
		}
		if err := errors.Join(ApplyAll(m, changes)...); err != nil {
			t.Fatal(err)
		}
	}
	want, err := m.Read()
	if err != nil || len(want) != 3 {
		t.Fatalf("the table is %v, %v", want, err)
	}
	for name, table := range map[string]Table{"memory": m, "plain": struct{ Table }{m}} {
		var got []Entry
		err := ReadEach(table, func(e *Entry) {
			whole := *e
			whole.Destinations = slices.Clone(e.Destinations)
			got = append(got, whole)
		})
		sortTable(got)
		equal := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
		if diff := cmp.Diff(want, got, equal, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s: error %v; the table (-want +got):\n%s", name, err, diff)
		}
		m.Close()
		if err := ReadEach(table, func(*Entry) { t.Errorf("%s: a closed table has entries", name) }); err == nil {
			t.Errorf("%s: a closed table can be read", name)
		}
		m.closed = false
	}
}
