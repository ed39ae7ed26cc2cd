package event

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// TestLongestLine has the longest texts of servers, in the characters that take most room in
// JSON: the file takes no line that it does not give back.
func TestLongestLine(t *testing.T) {
	for _, char := range []string{"<", "\x01", "\xff", "\"", "\u2028", "€", "x"} {
		text := strings.Repeat(char, 5000)
		e := Event{Seq: 7, Time: time.Unix(1_800_000_000, 0), Kind: Gone, ID: "tcp:[2001:db8::1]:80", R: "[2001:db8::2]:80", Reason: text, Cause: &Cause{Kind: CauseCheck, Detail: text}}
		if _, err := ParseLine(bytes.TrimSpace(e.Line())); err != nil {
			t.Errorf("texts of %q: %v", char, err)
		}
	}
}

// oldestFirst is the history in the order of time.
func oldestFirst(h *History) []*Event {
	list := slices.Collect(h.Newest())
	slices.Reverse(list)
	return list
}

// TestHistoryIsBounded adds more events of each class than there is room for.
func TestHistoryIsBounded(t *testing.T) {
	for c, kind := range [classes]Kind{verdicts: Gone, changes: RealQuiesced, starts: Started, chatter: SoftFailure} {
		var h History
		n := sizes[c] + 10
		for i := range n {
			h.Add(&Event{Kind: kind, Weight: i})
		}
		list := oldestFirst(&h)
		if len(list) != sizes[c] || list[0].Weight != 10 || list[len(list)-1].Weight != n-1 {
			t.Errorf("%v: %d events from %d to %d", kind, len(list), list[0].Weight, list[len(list)-1].Weight)
		}
	}
}

// TestStartPushesOutNoVerdict has one real server gone, and after it all that a start of 20,000
// real servers of 5,000 virtual services adds, and their soft failures.
func TestStartPushesOutNoVerdict(t *testing.T) {
	important := []Event{
		{Kind: Gone, R: "gone"}, {Kind: AllGone}, {Kind: FallbackAdded}, {Kind: RealQuiesced}, {Kind: Ordered}, {Kind: DaemonStopped}, {Kind: DaemonStarted}, {Kind: Refused},
	}
	var h History
	for i := range important {
		h.Add(&important[i])
	}
	for range 20_000 {
		for _, k := range []Kind{RealAdded, RealRestored, RealDeleted, RealQuiesced, FallbackAdded, FallbackDeleted, VirtualAdded} {
			h.Add(&Event{Kind: k, Status: conf.Starting})
			h.Add(&Event{Kind: k, Status: conf.Reloading})
		}
		for _, k := range []Kind{SoftFailure, SoftReset, NotAsked, Expiring} {
			h.Add(&Event{Kind: k, Status: conf.Running})
		}
	}
	for range 5_000 {
		h.Add(&Event{Kind: Started, Status: conf.Starting})
	}
	list := oldestFirst(&h)
	for i, want := range important {
		if got := list[i]; got.Kind != want.Kind || got.R != want.R || got.Seq != want.Seq {
			t.Errorf("event %d is %v %d, want %v %d", i, got.Kind, got.Seq, want.Kind, want.Seq)
		}
	}
	if !slices.IsSortedFunc(list, func(a, b *Event) int { return int(a.Seq) - int(b.Seq) }) {
		t.Error("the classes are not merged in the order of their numbers")
	}
}

// TestEachKindHasAClass fails for a new kind that has fallen among the chatter, where many events push
// it out.
func TestEachKindHasAClass(t *testing.T) {
	for k := range FirstUp {
		e := Event{Kind: k, Status: conf.Running}
		if e.class() == chatter && !slices.Contains([]Kind{SoftFailure, SoftReset, Expiring, NotAsked}, k) {
			t.Errorf("%v is chatter while the daemon runs", k)
		}
	}
}

// TestRestoredNumbersGrow has a daemon that gave numbers to chatter, which is in no file, and
// a clock that was set back before the next one.
func TestRestoredNumbersGrow(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, later := range map[string]time.Duration{"a second later": time.Second, "the clock was set back": -time.Hour} {
		var first History
		first.Begin(Event{}, now)
		first.Add(&Event{Kind: Gone, Time: now})
		kept := oldestFirst(&first)
		last := Event{Kind: SoftFailure}
		for range 5000 {
			first.Add(&last)
		}
		var second History
		second.Begin(*kept[0], now.Add(later))
		e := Event{Kind: DaemonStarted}
		second.Add(&e)
		second.Restore([]Event{*kept[0]}) // which takes a while
		if e.Seq <= last.Seq {
			t.Errorf("%s: the next number is %d after %d", name, e.Seq, last.Seq)
		}
		if e.Seq > 1<<53 {
			t.Errorf("%s: %d is no number of JavaScript", name, e.Seq)
		}
		if list := oldestFirst(&second); len(list) != 2 || list[0].Kind != Gone || list[0].Seq != kept[0].Seq {
			t.Errorf("%s: the history is %v", name, list)
		}
		if !second.Unstopped() || first.Unstopped() {
			t.Errorf("%s: unstopped %t and before %t", name, second.Unstopped(), first.Unstopped())
		}
	}
}

// TestRestoreIsBounded restores more events than there is room for, beside new ones.
func TestRestoreIsBounded(t *testing.T) {
	old := make([]Event, sizes[verdicts]+100)
	for i := range old {
		old[i] = Event{Kind: Gone, Seq: uint64(i + 1)}
	}
	var h History
	h.Begin(old[len(old)-1], time.Unix(0, 0))
	var last uint64
	for range 50 {
		e := Event{Kind: Back}
		h.Add(&e)
		last = e.Seq
	}
	h.Restore(old)
	list := oldestFirst(&h)
	if n := len(list); n != sizes[verdicts] || list[n-1].Seq != last || list[0].Seq != 151 {
		t.Errorf("%d events from %d to %d, want %d from 151 to %d", n, list[0].Seq, list[n-1].Seq, sizes[verdicts], last)
	}
	e := Event{Kind: Gone}
	h.Add(&e)
	if list := oldestFirst(&h); len(list) != sizes[verdicts] || list[len(list)-1].Seq != e.Seq || list[0].Seq != 152 {
		t.Errorf("after one more: %d events from %d to %d", len(list), list[0].Seq, list[len(list)-1].Seq)
	}
}
