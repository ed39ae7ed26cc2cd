package view

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
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
				Present: true, Served: true, Check: "http", In: 1, Stats: report.Stats{Connections: 1234567890, InPackets: 12, InBytes: 1 << 50, InByteRate: 99999999},
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

// TestExternalChangeIsShownOnce has the words of a weight that others have set, and the weight in
// the file, in the line of the real server and nowhere else.
func TestExternalChangeIsShownOnce(t *testing.T) {
	const change = "real server 10.1.0.1:80 (10.0.0.1:80) has weight 4 in the kernel, set by somebody else, instead of 5"
	const gone = "real server 10.1.0.2:80 (10.0.0.1:80) was deleted by somebody else"
	s := &report.Snapshot{Ready: true, Virtuals: []report.VirtualState{{
		Listed: "TCP  10.0.0.1:80 wrr", Present: true, Notices: []string{change, gone},
		Reals: []report.RealState{{
			RealName:    report.RealName{Name: "10.1.0.1:80", At: "10.1.0.1:80", Forward: "Masq"},
			Destination: report.Destination{Present: true, Weight: 4, Configured: 5, Wanted: 5}, State: report.StateUp, Difference: change,
		}},
	}}}
	var b strings.Builder
	if err := WriteTable(&b, s); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), change); n != 1 || strings.Contains(b.String(), "weight 5 in the file") || !strings.Contains(b.String(), "! "+gone) {
		t.Errorf("the change is shown %d times:\n%s", n, b.String())
	}
	s.Virtuals[0].Reals[0].Configured = 7 // an order has 5 in its place
	b.Reset()
	if err := WriteTable(&b, s); err != nil || !strings.Contains(b.String(), "weight 7 in the file") {
		t.Errorf("the weight in the file is missing (%v):\n%s", err, b.String())
	}
}

// TestNothingIsChecked has checktype = on beside a real server that is up for want of a check.
func TestNothingIsChecked(t *testing.T) {
	const note = "; checktype = on"
	for check, want := range map[string]bool{"on": true, "http": false} {
		var b strings.Builder
		s := &report.Snapshot{Ready: true, Virtuals: []report.VirtualState{{Check: check, Present: true, Reals: []report.RealState{{State: report.StateUp}, {State: report.StateDrained}}}}}
		if err := WriteTable(&b, s); err != nil || (strings.Count(b.String(), note) == 1) != want {
			t.Errorf("check %s: %v\n%s", check, err, b.String())
		}
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
  -> 10.1.0.1:80                  Route   5      10         2          up 1d02h; checked 1.5s ago in 3ms; 200 OK [31m (failure 1 of 3); configured as 10.1.0.1:8080
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
			{Time: at, Check: "agent", Asked: "agent at 10.1.0.1:9000", Silent: true, Text: "connection refused", Attempts: 1},
			{Time: at, Check: "agent", Asked: "agent at 10.1.0.1:9000", Silent: true, Nonsense: true, Text: `no words of an agent: "hi"`, Attempts: 1},
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
  2026-11-21 12:00:00.250  agent does not answer: connection refused
    asked     agent at 10.1.0.1:9000 (0s)
  2026-11-21 12:00:00.250  agent answers nonsense: no words of an agent: "hi"
    asked     agent at 10.1.0.1:9000 (0s)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCounter(t *testing.T) {
	for n, want := range map[uint64]string{99999999: "99999999", 100000000: "100000K", 999999999: "999999K", 1000000000: "1000M", 100000000000: "100G"} {
		if got := counter(n); got != want {
			t.Errorf("counter(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestConnectionLine has a line as ipvsadm -L -n -c prints it.
func TestConnectionLine(t *testing.T) {
	if got, want := ConnectionLine(wire.Connection{Protocol: "TCP", Client: "10.9.0.1:5000", Virtual: "10.0.0.1:80", Real: "10.1.0.1:80", State: "ESTABLISHED", Expires: 899}),
		"TCP 14:59  ESTABLISHED 10.9.0.1:5000      10.0.0.1:80        10.1.0.1:80"; got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
}

// TestCheckLine has the line of one of several checks. An agent that does not answer is not called up for it.
func TestCheckLine(t *testing.T) {
	silent := &report.Last{Text: "connection refused"}
	for want, c := range map[string]report.CheckState{
		"down, 2 failed in a row": {State: report.StateDown, Failures: 2, FailureCount: 1, Last: silent},
		"up since 2026-11-30 10:00:00, does not answer, which changes nothing": {State: report.StateUp, Beside: true, Last: silent, Since: time.Date(2026, 11, 30, 10, 0, 0, 0, time.Local)},
		"up, failure 1 of 2":                          {State: report.StateUp, Failures: 1, FailureCount: 2, Last: silent},
		"does not answer, which changes nothing":      {State: report.StateUnchecked, Beside: true, Last: silent},
		"up, does not answer, which changes nothing":  {State: report.StateUp, Beside: true, Last: silent},
		"up, answers nonsense, which changes nothing": {State: report.StateUp, Beside: true, Silent: true, Nonsense: true, Last: silent},
		"unchecked":                 {State: report.StateUnchecked, Beside: true},
		"down":                      {State: report.StateDown, Beside: true, Last: silent},
		"down, does not answer now": {State: report.StateDown, Beside: true, Silent: true, Last: silent},
	} {
		if got := checkLine(c); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
