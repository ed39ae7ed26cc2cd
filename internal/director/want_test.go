package director

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
// after; what the kernel then holds is what was wanted; and then there is
// nothing left to do.
func TestPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have, want := drawHeld(t, "have"), drawHeld(t, "want")
		have.present = rapid.Bool().Draw(t, "present")
		if !have.present {
			have.slots = nil
		}
		kernel := ipvs.NewMemory()
		fill(t, kernel, have)
		serves := carrying(have) && carrying(want)
		for _, s := range plan(have, want) {
			if err := kernel.Apply(s.Change); err != nil {
				t.Fatalf("%s: %v", s.Change, err)
			}
			if now := read(t, kernel); serves && !carrying(now) {
				t.Fatalf("after %s nothing carries traffic: %v", s.Change, now.slots)
			}
		}
		got := read(t, kernel)
		if diff := cmp.Diff(words(want), words(got)); diff != "" {
			t.Errorf("the kernel holds (-want +got):\n%s", diff)
		}
		if left := plan(want, want); len(left) > 0 {
			t.Errorf("a plan from what is wanted to itself: %v", left)
		}
	})
}

func drawHeld(t *rapid.T, label string) held {
	h := held{present: true}
	h.service = ipvs.Service{
		Key:       ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort("10.0.0.1:80")),
		Scheduler: rapid.SampledFrom([]string{"rr", "wlc"}).Draw(t, label+" scheduler"),
	}
	weights := rapid.MapOfN(rapid.IntRange(1, 6), rapid.IntRange(0, 2), 0, 6).Draw(t, label+" weights")
	for n, weight := range weights {
		at := netip.MustParseAddrPort(fmt.Sprintf("10.1.0.%d:80", n))
		h.slots.put(slot{at: at, weight: weight})
	}
	return h
}

func fill(t *rapid.T, kernel *ipvs.Memory, h held) {
	if !h.present {
		return
	}
	changes := []ipvs.Change{{Op: ipvs.AddService, Service: h.service}}
	for _, s := range h.slots {
		changes = append(changes, ipvs.Change{Op: ipvs.AddDestination, Service: h.service, Destination: s.destination()})
	}
	for _, c := range changes {
		if err := kernel.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *rapid.T, kernel *ipvs.Memory) held {
	table, err := kernel.Read()
	if err != nil {
		t.Fatal(err)
	}
	h := held{}
	for _, e := range table {
		h.present, h.service = true, e.Service
		for _, dst := range e.Destinations {
			h.slots.put(slotOf(dst))
		}
	}
	return h
}

func carrying(h held) bool {
	for _, s := range h.slots {
		if s.weight > 0 {
			return true
		}
	}
	return false
}

// words is a table as it compares: the scheduler, and the weight by address.
func words(h held) map[string]string {
	w := map[string]string{"scheduler": h.service.Scheduler}
	for _, s := range h.slots {
		w[s.at.String()] = fmt.Sprint("weight ", s.weight)
	}
	return w
}
