package record

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/report"
)

func TestLog(t *testing.T) {
	var p Log
	var usual Usual
	if _, ok := p.Last(); ok || len(p.Outcomes()) != 0 || len(p.Latencies()) != 0 {
		t.Fatal("there is a past before the first result")
	}
	for i := range 100 {
		res := &Result{At: time.Unix(int64(i), 0)}
		res.Result = engine.Result{Attempts: 1, Took: time.Duration(i) * time.Millisecond}
		switch {
		case i%10 == 9:
			res.Err, res.Received = errors.New("no"), []byte("hello")
		case i == 50:
			res.Err, res.Local = errors.New("no descriptors"), true
		}
		p.Add(res, &usual)
	}
	if p.count != 100 || p.down != 10 || p.local != 1 {
		t.Errorf("%d results, %d down, %d local, want 100, 10, 1", p.count, p.down, p.local)
	}
	var when []int64
	for _, o := range p.Outcomes() {
		when = append(when, time.Unix(0, o.at).Unix())
	}
	if diff := cmp.Diff([]int64{99, 98, 97, 96, 95, 94}, when); diff != "" {
		t.Errorf("outcomes, the newest first (-want +got):\n%s", diff)
	}
	if last, _ := p.Last(); last.finding == nil || last.finding.exchange == nil || string(last.finding.exchange.received) != "hello" {
		t.Errorf("the last conversation is not kept: %+v", last)
	}
	recent := p.Latencies()
	if len(recent) != keptLatencies || recent[0].Round(time.Millisecond) != 70*time.Millisecond || recent[keptLatencies-1].Round(time.Millisecond) != 99*time.Millisecond {
		t.Errorf("latencies %v, want 70ms to 99ms", recent)
	}
	var sum uint32
	for _, n := range p.buckets {
		sum += n
	}
	if sum != 99 || p.buckets[0] != 2 { // 0 and 1 ms
		t.Errorf("buckets %v, want all but the one that was our fault", p.buckets)
	}
}

func TestLatency(t *testing.T) {
	for _, tt := range []struct{ took, want time.Duration }{
		{0, time.Microsecond}, // no bar at all would be taken for no check
		{999 * time.Nanosecond, time.Microsecond},
		{1234 * time.Microsecond, 1234 * time.Microsecond},
		{2047 * time.Microsecond, 2047 * time.Microsecond},
		{2049 * time.Microsecond, 2048 * time.Microsecond},
		{5 * time.Second, 4997120 * time.Microsecond},
		{1000 * time.Hour, 999*time.Hour + 46*time.Minute + 22594048*time.Microsecond},
		{1<<63 - 1, 2047 << 31 * time.Microsecond},
	} {
		if got := latencyOf(tt.took).duration(); got != tt.want {
			t.Errorf("%s is remembered as %s, want %s", tt.took, got, tt.want)
		}
	}
}

// TestFindings says which results need memory of their own.
func TestFindings(t *testing.T) {
	var p, other Log
	var usual Usual
	add := func(r engine.Result) *finding {
		p.Add(&Result{Result: r}, &usual)
		last, _ := p.Last()
		return last.finding
	}
	if f := add(engine.Result{}); f != nil {
		t.Errorf("good without words: %+v, want nothing", f)
	}
	first, again := add(engine.Result{Detail: "200 OK"}), add(engine.Result{Detail: "200 OK"})
	if first == nil || again != first {
		t.Errorf("good in the same words: %p and %p, want the same one", first, again)
	}
	other.Add(&Result{Result: engine.Result{Detail: "200 OK"}}, &usual)
	if last, _ := other.Last(); last.finding != first {
		t.Errorf("another check of the same spec, good in the same words: %p, want %p", last.finding, first)
	}
	bad := add(engine.Result{Detail: "200 OK", Err: errors.New("no")})
	if bad == first || bad.err == nil {
		t.Errorf("bad with the same detail: %+v, want a finding of its own", bad)
	}
	if f := add(engine.Result{Detail: "200 OK"}); f == bad || f.err != nil {
		t.Errorf("good again: %+v, want one without an error", f)
	}
	if f := add(engine.Result{Detail: "200 OK", Sent: []byte("x")}); f.exchange == nil {
		t.Errorf("good with a conversation: %+v, want it kept", f)
	}
}

// A text belongs to its result, and costs memory as long as it is unusual and
// remembered.
func TestLogWords(t *testing.T) {
	var p Log
	var usual Usual
	for _, said := range []struct{ detail, err, want string }{
		{"200 OK", "", "200 OK"},
		{"", "", "ok|200 OK"},
		{"204 No Content", "", "204 No Content|ok|200 OK"},
		{"200 OK", "", "200 OK|204 No Content|ok|200 OK"},
		{"", "refused", "refused|200 OK|204 No Content|ok|200 OK"},
		{"204 No Content", "", "204 No Content|refused|200 OK|204 No Content|ok|200 OK"},
		{"204 No Content", "", "204 No Content|204 No Content|refused|200 OK|204 No Content|ok"},
		{"204 No Content", "", "204 No Content|204 No Content|204 No Content|refused|200 OK|204 No Content"},
		{"204 No Content", "", "204 No Content|204 No Content|204 No Content|204 No Content|refused|200 OK"},
		{"204 No Content", "", "204 No Content|204 No Content|204 No Content|204 No Content|204 No Content|refused"},
		{"204 No Content", "", "204 No Content|204 No Content|204 No Content|204 No Content|204 No Content|204 No Content"},
	} {
		r := engine.Result{Detail: said.detail}
		if said.err != "" {
			r.Err = errors.New(said.err)
		}
		p.Add(&Result{Result: r}, &usual)
		var got []string
		for _, o := range p.Outcomes() {
			got = append(got, o.Words())
		}
		if diff := cmp.Diff(said.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("outcomes, the newest first (-want +got):\n%s", diff)
		}
	}
	for range keptResults {
		p.Add(&Result{Result: engine.Result{Detail: "204 No Content"}}, &usual)
	}
	if p.others != nil {
		t.Error("what was unusual still costs something after it was forgotten")
	}
}

func TestTransitionsAreBounded(t *testing.T) {
	var turns Transitions
	for i := range 100 {
		turns.Add([]report.Condition{report.ConditionDown, report.ConditionUp}[i%2], time.Unix(int64(i), 0))
	}
	if len(turns.last) != keptTransitions || turns.List()[keptTransitions-1] != (report.Transition{Time: time.Unix(99, 0), Is: report.ConditionUp}) {
		t.Errorf("kept %d, the last %v", len(turns.last), turns.List())
	}
}
