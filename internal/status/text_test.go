package status

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
)

// sample is a snapshot with one of everything.
func sample() *report.Snapshot {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	until := now.Add(30 * time.Minute)
	return &report.Snapshot{
		Time: now, Started: now.Add(-time.Hour), Loaded: now.Add(-time.Hour), Config: "t.cf", State: "running", Ready: true,
		Overrides: []report.Override{{Verb: report.Disable, Virtual: "tcp:10.0.0.9:80", Real: "10.1.0.9:80", By: "bob"}},
		Virtuals: []report.VirtualState{
			{
				ID: "tcp:10.0.0.1:80", Name: "10.0.0.1:80", Listed: "TCP  10.0.0.1:80 wrr persistent 600", Kernel: "TCP  10.0.0.1:80",
				Present: true, Check: "http", In: 1, Stats: report.Stats{Connections: 1234567890, InPackets: 12, InBytes: 1 << 50, InByteRate: 99999999},
				Notices: []string{"real server 10.1.0.3:80 (10.0.0.1:80) has weight 4 in the kernel, set by somebody else, instead of 5"},
				Reals: []report.RealState{
					{
						RealName: report.RealName{Name: "10.1.0.1:8080", At: "10.1.0.1:80", Forward: "Route"}, Destination: report.Destination{Present: true, Weight: 5, Configured: 5, Active: 10, Inactive: 2}, State: report.StateUp, Up: true,
						Since: now.Add(-26 * time.Hour), FailureCount: 3, Failures: 1,
						Last: &report.Last{Time: now.Add(-1500 * time.Millisecond), Took: 0.0031, Up: true, Text: "200 OK\x1b[31m"},
					},
					{
						RealName: report.RealName{Name: "10.1.0.2:80", At: "10.1.0.2:80", Forward: "Masq"}, Destination: report.Destination{Present: true, Configured: 1, Persistent: 3}, State: report.StateDrained, Up: true,
						Since: now.Add(-time.Minute), FailureCount: 1,
						Override: &report.Override{Verb: report.Drain, By: "alice", Since: now.Add(-30 * time.Minute), Until: until, Comment: "disk"},
					},
					{
						RealName: report.RealName{Name: "10.1.0.3:80", At: "10.1.0.3:80", Forward: "Masq"}, Destination: report.Destination{Configured: 5}, State: report.StateDown,
						Since: now.Add(-90 * time.Second), FailureCount: 1, Failures: 9,
						Last: &report.Last{Time: now.Add(-4 * time.Second), Took: 0.0002, Text: "connection refused"},
					},
				},
			},
			{ID: "FWM 8", Listed: "FWM  8 rr", Kernel: "FWM  8", Foreign: true, Present: true, Reals: []report.RealState{
				{RealName: report.RealName{Name: "[fd00::1]:0", At: "[fd00::1]:0", Forward: "Tunnel"}, Destination: report.Destination{Present: true, Weight: 1}, State: report.StateForeign},
			}},
		},
	}
}

func TestTexts(t *testing.T) {
	tests := map[string]struct {
		write func(io.Writer, *report.Snapshot) error
		want  string
	}{
		"table": {WriteTable, `
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn  Health
TCP  10.0.0.1:80 wrr persistent 600
  -> 10.1.0.1:80                  Route   5      10         2          up 1d02h; checked 1.5s ago in 3ms; 200 OK.[31m (failure 1 of 3); configured as 10.1.0.1:8080
  -> 10.1.0.2:80                  Masq    0      0          0          drained 1m00s; weight 1 in the file; 3 persistent; drain by alice for 1h0m0s: disk, 30m00s left
  -> 10.1.0.3:80                  Masq    -      -          -          down 1m30s; checked 4.0s ago in 200µs; connection refused
     ! real server 10.1.0.3:80 (10.0.0.1:80) has weight 4 in the kernel, set by somebody else, instead of 5
FWM  8 rr   # not in the configuration
  -> [fd00::1]:0                  Tunnel  1      0          0          foreign
! 10.1.0.9:80 (tcp:10.0.0.9:80) is in no configuration, but has an order: disable by bob
`},
		"stats": {WriteStats, `
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.0.0.1:80                     1234M       12        0    1125T        0
  -> 10.1.0.1:80                         0        0        0        0        0
  -> 10.1.0.2:80                         0        0        0        0        0
FWM  8                                   0        0        0        0        0
  -> [fd00::1]:0                         0        0        0        0        0
`},
		"rate": {WriteRate, `
Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS
  -> RemoteAddress:Port
TCP  10.0.0.1:80                         0        0        0 99999999        0
  -> 10.1.0.1:80                         0        0        0        0        0
  -> 10.1.0.2:80                         0        0        0        0        0
FWM  8                                   0        0        0        0        0
  -> [fd00::1]:0                         0        0        0        0        0
`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := tt.write(&b, sample()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(tt.want[1:], "\n"), strings.Split(b.String(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReasonsText(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 250e6, time.Local)
	var b strings.Builder
	err := WriteReasons(&b, []report.Reason{{
		Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", State: report.StateDown, Because: "down since noon", Interval: 10,
		Answers: []report.Answer{
			{Time: at, Asked: "http GET http://10.1.0.1:80/", Text: "503 Busy", Attempts: 2, Took: 0.25, Sent: "GET /", Received: "HTTP/1.1 503\r\n"},
			{Time: at, Asked: "connect", Local: true, Text: "no descriptors", Attempts: 1},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `10.1.0.1:80 of tcp:10.0.0.1:80: down
    down since noon
    asked every 10s
  2026-11-21 12:00:00.250  down: 503 Busy
    asked     http GET http://10.1.0.1:80/ (250ms, 2 attempts)
    sent      "GET /"
    received  "HTTP/1.1 503\r\n"
  2026-11-21 12:00:00.250  could not be asked: no descriptors
    asked     connect (0s)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 900: "0µs", 1500 * time.Microsecond: "1ms", 9999 * time.Millisecond: "10.0s",
		59 * time.Second: "59s", time.Hour - time.Second: "59m59s", 25 * time.Hour: "1d01h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 99999: "99999", 100000: "100K", 12345678: "12M", 1 << 63: "9223P"} {
		if got := large(n); got != want {
			t.Errorf("large(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[uint64]string{99999999: "99999999", 100000000: "100000K", 999999999: "999999K", 1000000000: "1000M", 100000000000: "100G"} {
		if got := counter(n); got != want {
			t.Errorf("counter(%d) = %q, want %q", n, got, want)
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
		level level
		words string
	}{
		"well": {well, fine, "All is well"},
		"one down": {change(func(s *report.Snapshot) {
			s.Virtuals[0].In, s.Virtuals[0].Reals[0].State = 1, report.StateDown
		}), bad, "1 of 2 real servers is out"},
		"drained": {change(func(s *report.Snapshot) {
			s.Virtuals[0].In, s.Virtuals[0].Reals[0].State = 1, report.StateDrained
		}), notable, "1 of 2 real servers is out"},
		"all out":  {change(func(s *report.Snapshot) { s.Virtuals[0].In = 0 }), bad, "2 of 2 real servers are out"},
		"starting": {change(func(s *report.Snapshot) { s.Ready, s.Lag.Checks, s.Lag.Unheard = false, 3, 1 }), fine, "1 of 3 checks have not been made yet"},
		"differs":  {change(func(s *report.Snapshot) { s.Virtuals[0].Notices = []string{"x"} }), notable, "All 2 real servers are in, but look below"},
		"overdue":  {change(func(s *report.Snapshot) { s.Lag.Overdue = 1 }), notable, "All 2 real servers are in, but look below"},
		"unreadable": {change(func(s *report.Snapshot) {
			s.Kernel.Error = "no rights"
		}), bad, "All 2 real servers are in, but look below"},
		"empty": {&report.Snapshot{Ready: true}, fine, "No real server is configured"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if h := judge(tt.snap); h.level != tt.level || h.words != tt.words {
				t.Errorf("%s, %q, want %s, %q; troubles %q", h.level, h.words, tt.level, tt.words, h.troubles)
			}
		})
	}
}

// many is a configuration of virtual services with 100 real servers each.
func many(virtuals int) string {
	var b strings.Builder
	for i := range virtuals {
		fmt.Fprintf(&b, "virtual=10.0.%d.%d:80\n    service=http\n    real=10.%d.0.1->10.%d.0.100:80 masq\n", i/250, i%250+1, i%250+1, i%250+1)
	}
	return b.String()
}

// What one look costs, with 10,000 real servers.
func BenchmarkLook(b *testing.B) {
	h := newHouse(b, many(100))
	for _, path := range []string{"/", "/metrics", "/api/v1/snapshot"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.source.forget()
				h.page.mu.Lock()
				h.page.last = nil
				h.page.mu.Unlock()
				if w := h.get(outside, path); w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
