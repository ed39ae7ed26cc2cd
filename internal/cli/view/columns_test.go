package view

import (
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

const (
	longReal    = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"
	longVirtual = "[2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535"
)

// sampleIPv6 is sample with the longest addresses.
func sampleIPv6() *report.Snapshot {
	s := sample()
	v := &s.Virtuals[0]
	v.ID, v.Name, v.Listed, v.Kernel = "tcp:"+longVirtual, longVirtual, "TCP  "+longVirtual+" wrr", "TCP  "+longVirtual
	v.Notices = nil
	for i := range v.Reals {
		v.Reals[i].Name, v.Reals[i].At = longReal, longReal
	}
	v.Reals[0].Failures = 0
	s.Overrides = nil
	return s
}

// TestScreenIPv6 has top at 80 and at 200 columns with the longest addresses: whole, and with
// the numbers below their heads.
func TestScreenIPv6(t *testing.T) {
	want := map[int]string{
		80: `
STATE        REAL SERVER                                        W   ACT  TOOK L…
✕ down       [2001:db8:1234:5678:9abc:def0:1234:5678]:65535     -     0 200µs
             of [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535
             for 1m30s; connection refused
▽ drained    [2001:db8:1234:5678:9abc:def0:1234:5678]:65535     0     0
             of [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535
             for 1m00s; drain by alice for 1h0m0s: disk, 30m00s left
● up         [2001:db8:1234:5678:9abc:def0:1234:5678]:65535     5    10   3ms
             of [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535  200 OK [31m`,
		200: `
STATE        REAL SERVER                                    VIRTUAL SERVICE                                    W   ACT  TOOK LAST CHECK
✕ down       [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535     -     0 200µs for 1m30s; connection refused
▽ drained    [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535     0     0       for 1m00s; drain by alice for 1h0m0s: disk, 30m00s left
● up         [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535     5    10   3ms 200 OK [31m`,
	}
	for width, text := range want {
		lines := new(Screen).Draw(sampleIPv6(), width, 0)
		from := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "STATE") })
		to := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "foreign") })
		if diff := cmp.Diff(text, "\n"+strings.Join(lines[from:to], "\n")); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", width, diff)
		}
	}
}

// TestScreenMarksWhatIsMissing has no line end without a mark where the screen is too narrow.
func TestScreenMarksWhatIsMissing(t *testing.T) {
	wide := strings.Join(new(Screen).Draw(sampleIPv6(), 400, 0), "\n")
	for width := 20; width < 200; width++ {
		for _, line := range new(Screen).Draw(sampleIPv6(), width, 0) {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%d columns on a screen of %d: %q", n, width, line)
			}
			for word := range strings.FieldsSeq(line) {
				if word != "of" && !strings.Contains(word, "…") && !strings.Contains(wide, word) {
					t.Errorf("on a screen of %d %q is cut without a mark: %q", width, word, line)
				}
			}
		}
	}
}

// TestFitName keeps both ends of a name, of which the last part differs in one network.
func TestFitName(t *testing.T) {
	for width, want := range map[int]string{46: longReal, 30: "[2001:db8…ef0:1234:5678]:65535", 21: "[2001:…34:5678]:65535", 3: "…35", 2: "[…", 1: ""} {
		if got := fitName(longReal, width); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
}

// TestTableColumns has show with the longest addresses: the columns are below their heads.
func TestTableColumns(t *testing.T) {
	for name, tt := range map[string]struct {
		write func(io.Writer, *report.Snapshot) error
		want  string
	}{
		"show": {WriteTable, `
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port                             Forward Weight ActiveConn InActConn  Health
TCP  [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535 wrr
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 Route   5      10         2          up 1d02h; checked 1.5s ago in 3ms; 200 OK [31m
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 Masq    0      0          0          drained 1m00s; weight 1 in the file; 3 persistent; drain by alice for 1h0m0s: disk, 30m00s left
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 Masq    -      -          -          down 1m30s; checked 4.0s ago in 200µs; connection refused
FWM  8 rr   # not in the configuration
  -> [fd00::1]:0                                    Tunnel  1      0          0          foreign
`},
		"stats": {WriteStats, `
Prot LocalAddress:Port                                 Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535    1234M       12        0    1125T        0
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535        0        0        0        0        0
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535        0        0        0        0        0
FWM  8                                                     0        0        0        0        0
  -> [fd00::1]:0                                           0        0        0        0        0
`},
		"rate": {WriteRate, `
Prot LocalAddress:Port                                   CPS    InPPS   OutPPS    InBPS   OutBPS
  -> RemoteAddress:Port
TCP  [2001:db8:fedc:ba98:7654:3210:fedc:ba98]:65535        0        0        0 99999999        0
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535        0        0        0        0        0
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:65535        0        0        0        0        0
FWM  8                                                     0        0        0        0        0
  -> [fd00::1]:0                                           0        0        0        0        0
`},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := tt.write(&b, sampleIPv6()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, "\n"+b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestConnectionLineIPv6 has the longest addresses below each other.
func TestConnectionLineIPv6(t *testing.T) {
	long := ConnectionLine(wire.Connection{Protocol: "TCP", Client: longReal, Virtual: longVirtual, Real: longReal, State: "ESTABLISHED", Expires: 899})
	short := ConnectionLine(wire.Connection{Protocol: "TCP", Client: "[fd00::1]:1", Virtual: "[fd00::2]:80", Real: longReal, State: "ESTABLISHED", Expires: 899})
	if strings.LastIndex(long, longReal) != strings.LastIndex(short, longReal) {
		t.Errorf("the destinations are not below each other:\n%s\n%s", long, short)
	}
}
