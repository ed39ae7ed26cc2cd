package words

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
)

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 900: "0µs", 1500 * time.Microsecond: "1ms", 9999 * time.Millisecond: "10.0s",
		59 * time.Second: "59s", time.Hour - time.Second: "59m59s", 25 * time.Hour: "1d01h",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 99999: "99999", 100000: "100K", 12345678: "12M", 1 << 63: "9223P"} {
		if got := Large(n); got != want {
			t.Errorf("Large(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestHealth(t *testing.T) {
	well := &report.Snapshot{Ready: true, Virtuals: []report.VirtualState{{
		ID: "tcp:10.0.0.1:80", Present: true, In: 2,
		Reals: []report.RealState{{State: report.StateUp, Up: true}, {State: report.StateUp, Up: true}},
	}}}
	change := func(f func(*report.Snapshot)) *report.Snapshot {
		s := *well
		s.Virtuals = []report.VirtualState{well.Virtuals[0]}
		s.Virtuals[0].Reals = append([]report.RealState(nil), well.Virtuals[0].Reals...)
		f(&s)
		return &s
	}
	tests := map[string]struct {
		snap  *report.Snapshot
		level Level
		words string
	}{
		"well": {well, Fine, "All is well"},
		"one down": {change(func(s *report.Snapshot) {
			s.Virtuals[0].In, s.Virtuals[0].Reals[0].State = 1, report.StateDown
		}), Bad, "1 of 2 real servers is out"},
		"drained": {change(func(s *report.Snapshot) {
			s.Virtuals[0].In, s.Virtuals[0].Reals[0].State = 1, report.StateDrained
		}), Notable, "1 of 2 real servers is out"},
		"all out":  {change(func(s *report.Snapshot) { s.Virtuals[0].In = 0 }), Bad, "2 of 2 real servers are out"},
		"starting": {change(func(s *report.Snapshot) { s.Ready, s.Lag.Checks, s.Lag.Unheard = false, 3, 1 }), Fine, "1 of 3 checks have not been made yet"},
		"differs":  {change(func(s *report.Snapshot) { s.Virtuals[0].Notices = []string{"x"} }), Notable, "All 2 real servers are in, but look below"},
		"overdue":  {change(func(s *report.Snapshot) { s.Lag.Overdue = 1 }), Notable, "All 2 real servers are in, but look below"},
		"unreadable": {change(func(s *report.Snapshot) {
			s.Kernel.Error = "no rights"
		}), Bad, "All 2 real servers are in, but look below"},
		"off": {change(func(s *report.Snapshot) {
			s.Virtuals[0].In, s.Virtuals[0].Reals = 0, []report.RealState{{State: report.StateOff, Unchecked: true}}
		}), Notable, "1 of 1 real servers is out as planned"},
		"empty": {&report.Snapshot{Ready: true}, Fine, "No real server is configured"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if h := Judge(tt.snap); h.Level != tt.level || h.Words != tt.words {
				t.Errorf("%s, %q, want %s, %q; troubles %q", h.Level, h.Words, tt.level, tt.words, h.Troubles)
			}
		})
	}
}

func TestBehind(t *testing.T) {
	tests := map[string]struct {
		lag   report.Lag
		level Level
		words []string
	}{
		"in time":        {report.Lag{Checks: 9, Running: 3, Worst: 0.05, Silent: 1}, Fine, nil},
		"one overdue":    {report.Lag{Overdue: 1}, Notable, []string{"1 check is overdue"}},
		"late":           {report.Lag{Worst: 1}, Notable, []string{"a check began 1.0s after its time within the last minute"}},
		"overdue, late":  {report.Lag{Overdue: 7, Worst: 90}, Notable, []string{"7 checks are overdue", "a check began 1m30s after its time within the last minute"}},
		"standing still": {report.Lag{Overdue: 2, Silent: 100}, Bad, []string{"no check was begun for 1m40s: the schedule stands still", "2 checks are overdue"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			how, words := Behind(tt.lag)
			if diff := cmp.Diff(tt.words, words); diff != "" || how != tt.level {
				t.Errorf("%s, want %s; words (-want +got):\n%s", how, tt.level, diff)
			}
		})
	}
}

// TestEachCheck has what each of several checks says.
func TestEachCheck(t *testing.T) {
	s := report.Several{ChecksNeeded: 2, EachCheck: []report.CheckState{
		{Name: "http", State: report.StateUp, Failures: 1, FailureCount: 3, Last: &report.Last{Text: "timeout"}},
		{Name: "app", State: report.StateDown, Failures: 4, FailureCount: 2, Last: &report.Last{Text: "exit status 1"}},
		{Name: "db", State: report.StateUnchecked},
	}}
	const want = "1 of 3 checks up, 2 needed: http up (failure 1 of 3): timeout; app down: exit status 1; db unchecked"
	if got := EachCheck(s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.EachCheck = []report.CheckState{
		{Name: "http", State: report.StateDown, Last: &report.Last{Text: "timeout"}},
		{Name: "agent", Beside: true, State: report.StateUp, Last: &report.Last{Text: "connection refused"}},
	}
	const beside = "http down: timeout; agent does not answer, which changes nothing: connection refused"
	if got := EachCheck(s); got != beside {
		t.Errorf("with an agent: %q, want %q", got, beside)
	}
	s.EachCheck[1] = report.CheckState{Name: "agent", Beside: true, State: report.StateUp, Last: &report.Last{Up: true, Text: "up 50%"}}
	if got, want := EachCheck(s), "http down: timeout; agent says up 50%"; got != want {
		t.Errorf("with an agent: %q, want %q", got, want)
	}
	s.EachCheck[1] = report.CheckState{Name: "agent", Beside: true, State: report.StateDown, Silent: true, Nonsense: true, Last: &report.Last{Text: `no words of an agent: "hi"`}}
	if got, want := EachCheck(s), `http down: timeout; agent down, answers nonsense now: no words of an agent: "hi"`; got != want {
		t.Errorf("with an agent that answers nonsense: %q, want %q", got, want)
	}
	down := report.RealState{Up: true, Failures: 4, FailureCount: 2, Last: &report.Last{Text: "app: exit status 1"}}
	if got, want := LastCheck(&down), "app: exit status 1"; got != want {
		t.Errorf("the last check of one that is up although a check is down: %q, want %q", got, want)
	}
}
