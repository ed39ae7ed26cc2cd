package table

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ldirectord/ldirectord/ipvs"
)

// TestPlan brings a kernel in memory from any table to any other. On the way
// there is always a real server with a weight, if there is one before and
// after; the kernel then has the desired state; and a second plan is
// empty.
func TestPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have, want := drawState(t, "have"), drawState(t, "want")
		have.Present = rapid.Bool().Draw(t, "present")
		if !have.Present {
			have.Slots = nil
		}
		kernel := ipvs.NewMemory()
		fill(t, kernel, have)
		serves := carrying(have) && carrying(want)
		for _, s := range Plan(have, want) {
			if err := kernel.Apply(s.Change); err != nil {
				t.Fatalf("%s: %v", s.Change, err)
			}
			if now := read(t, kernel); serves && !carrying(now) {
				t.Fatalf("after %s nothing carries traffic: %v", s.Change, now.Slots)
			}
		}
		got := read(t, kernel)
		if diff := cmp.Diff(words(want), words(got)); diff != "" {
			t.Errorf("the kernel holds (-want +got):\n%s", diff)
		}
		if left := Plan(want, want); len(left) > 0 {
			t.Errorf("a plan from what is wanted to itself: %v", left)
		}
	})
}

func drawState(t *rapid.T, label string) State {
	h := State{Present: true}
	h.Service = ipvs.Service{
		Key:       ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort("10.0.0.1:80")),
		Scheduler: rapid.SampledFrom([]string{"rr", "wlc"}).Draw(t, label+" scheduler"),
	}
	weights := rapid.MapOfN(rapid.IntRange(1, 6), rapid.IntRange(0, 2), 0, 6).Draw(t, label+" weights")
	for n, weight := range weights {
		at := netip.MustParseAddrPort(fmt.Sprintf("10.1.0.%d:80", n))
		h.Slots.Put(Slot{At: at, Weight: weight})
	}
	return h
}

func fill(t *rapid.T, kernel *ipvs.Memory, h State) {
	if !h.Present {
		return
	}
	changes := []ipvs.Change{{Op: ipvs.AddService, Service: h.Service}}
	for _, s := range h.Slots {
		changes = append(changes, ipvs.Change{Op: ipvs.AddDestination, Service: h.Service, Destination: s.Destination()})
	}
	for _, c := range changes {
		if err := kernel.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *rapid.T, kernel *ipvs.Memory) State {
	table, err := kernel.Read()
	if err != nil {
		t.Fatal(err)
	}
	h := State{}
	for _, e := range table {
		h.Present, h.Service = true, e.Service
		for _, dst := range e.Destinations {
			h.Slots.Put(slotOf(dst))
		}
	}
	return h
}

func carrying(h State) bool {
	for _, s := range h.Slots {
		if s.Weight > 0 {
			return true
		}
	}
	return false
}

// words is a table as it compares: the scheduler, and the weight by address.
func words(h State) map[string]string {
	w := map[string]string{"scheduler": h.Service.Scheduler}
	for _, s := range h.Slots {
		w[s.At.String()] = fmt.Sprint("weight ", s.Weight)
	}
	return w
}
