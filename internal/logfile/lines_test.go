package logfile

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
)

// lineAt is a record that is no event's.
func lineAt(text string) record { return record{time: at, text: text} }

var me = sender{name: "t.cf", pid: 7, host: "director1"}

var at = time.Date(2026, time.November, 1, 2, 12, 0, 0, time.UTC)

func TestLines(t *testing.T) {
	tests := map[string]struct{ got, want string }{
		"file":                     {fileLine(me, lineAt("Added x")), "[Sun Nov  1 02:12:00 2026|t.cf|7] Added x\n"},
		"supervised":               {streamLine(lineAt("Added x")), "[Sun Nov  1 02:12:00 2026] Added x\n"},
		"debug":                    {debugLine("Starting Check"), "DEBUG2: Starting Check\n"},
		"syslog":                   {syslogLine(me, priority("local0", severityInfo), lineAt("Added x")), "<134>Nov  1 02:12:00 ldirectord[7]: Added x"},
		"unknown facility":         {syslogLine(me, priority("nonsense", severityInfo), lineAt("x")), "<30>Nov  1 02:12:00 ldirectord[7]: x"},
		"facility in capitals":     {syslogLine(me, priority("LOG_Local0", severityInfo), lineAt("x")), "<134>Nov  1 02:12:00 ldirectord[7]: x"},
		"a forged line":            {fileLine(me, lineAt("a\n[x] b\r\x00c\n")), "[Sun Nov  1 02:12:00 2026|t.cf|7] a [x] b  c\n"},
		"a line end of Unicode":    {fileLine(me, lineAt("a\u2028b")), "[Sun Nov  1 02:12:00 2026|t.cf|7] a b\n"},
		"tabs and UTF-8 stay":      {streamLine(lineAt("a\tä")), "[Sun Nov  1 02:12:00 2026] a\tä\n"},
		"an endless line is short": {oneLine(strings.Repeat("x", longestText+9)), strings.Repeat("x", longestText) + " ..."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("line differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMonitorLine(t *testing.T) {
	tcp := &conf.VirtualService{Port: 80}
	withFallback := &conf.VirtualService{Port: 80, Fallback: &conf.Fallback{Addr: netip.MustParseAddr("127.0.0.1")}}
	tests := map[string]struct {
		event event.Event
		want  string
	}{
		"gone": {
			event.Event{
				Kind: event.Gone, Virtual: tcp, R: "192.168.1.13:80", V: "192.168.1.99:80", ID: "tcp:192.168.1.99:80",
				Reason: "connection refused", Attempts: 3,
			},
			"2026-11-01 02:12:00, 192.168.1.13:80 is gone. (tcp 192.168.1.99:80: connection refused, 3 attempts)\n",
		},
		"back, and out by an order": {
			event.Event{
				Kind: event.Back, Virtual: tcp, R: "192.168.1.13:80", V: "192.168.1.99:80", ID: "tcp:192.168.1.99:80",
				Reason: "out of service by order: drain by root", Down: 6 * time.Second,
			},
			"2026-11-01 02:12:00, 192.168.1.13:80 is back. (tcp 192.168.1.99:80: down 6s; out of service by order: drain by root)\n",
		},
		"gone at once": {
			event.Event{
				Kind: event.Gone, Virtual: tcp, R: "[fd00::2]:80", V: "8", ID: "fwm6:8",
				Reason: "a\nb", Attempts: 1,
			},
			"2026-11-01 02:12:00, [fd00::2]:80 is gone. (fwm6 8: a b, 1 attempt)\n",
		},
		"back": {
			event.Event{
				Kind: event.Back, Virtual: tcp, R: "192.168.1.13:80", V: "192.168.1.99:80", ID: "tcp:192.168.1.99:80",
				Down: 37*time.Second + 60*time.Millisecond,
			},
			"2026-11-01 02:12:00, 192.168.1.13:80 is back. (tcp 192.168.1.99:80: down 37s)\n",
		},
		"back for the first time": {
			event.Event{Kind: event.Back, Virtual: tcp, R: "192.168.1.13:80", V: "8", ID: "fwm:8"},
			"2026-11-01 02:12:00, 192.168.1.13:80 is back. (fwm 8: first good check)\n",
		},
		"any back for the first time": {
			event.Event{Kind: event.AnyBack, Virtual: tcp, V: "8", ID: "fwm:8"},
			"2026-11-01 02:12:00, real servers of 8 are back. (fwm 8: no fallback)\n",
		},
		"all gone": {
			event.Event{Kind: event.AllGone, Virtual: withFallback, V: "192.168.1.99:80", ID: "tcp:192.168.1.99:80"},
			"2026-11-01 02:12:00, all real servers of 192.168.1.99:80 are gone. (tcp 192.168.1.99:80: fallback 127.0.0.1:80 takes over)\n",
		},
		"all gone without a fallback": {
			event.Event{Kind: event.AllGone, Virtual: tcp, V: "8", ID: "fwm:8"},
			"2026-11-01 02:12:00, all real servers of 8 are gone. (fwm 8: no fallback)\n",
		},
		"any back": {
			event.Event{
				Kind: event.AnyBack, Virtual: withFallback, V: "192.168.1.99:80", ID: "tcp:192.168.1.99:80",
				Down: 250 * time.Millisecond,
			},
			"2026-11-01 02:12:00, real servers of 192.168.1.99:80 are back. (tcp 192.168.1.99:80: fallback 127.0.0.1:80 leaves, down 250ms)\n",
		},
		"started": {
			event.Event{Kind: event.Started, Virtual: tcp, V: "8", ID: "fwm:8", Phase: "started", Reason: "1 of 2 in service; out: 10.1.0.7:80 (a\nb)"},
			"2026-11-01 02:12:00, started: 1 of 2 in service; out: 10.1.0.7:80 (a b) (fwm 8)\n",
		},
		"first down":                        {event.Event{Kind: event.FirstDown, Reason: "refused"}, ""},
		"fallback on":                       {event.Event{Kind: event.FallbackOn}, ""},
		"what the monitor log is not about": {event.Event{Kind: event.RealAdded}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.event.Time = at
			if diff := cmp.Diff(test.want, monitorLine(test.event)); diff != "" {
				t.Errorf("line differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckedLine(t *testing.T) {
	v := func(change func(*conf.VirtualService)) *conf.VirtualService {
		v := &conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Service: "http"}}}
		if change != nil {
			change(v)
		}
		return v
	}
	r := &conf.RealServer{Addr: netip.MustParseAddr("10.1.0.1"), Port: 80, Weight: 2, Forward: conf.Masq, Request: "/index.html", Receive: "Welcome"}
	bare := &conf.RealServer{Addr: netip.MustParseAddr("fd00:1::1"), Forward: conf.Gate, Weight: 1, Request: "/"}
	tests := map[string]struct {
		checked event.Checked
		want    string
	}{
		"up": {
			event.Checked{Virtual: v(nil), Real: r, Up: true, Message: "200 OK"},
			"negotiate http tcp 10.1.0.1 80 2 masq /index.html Welcome [up] 200 OK",
		},
		"the wrong text": {
			event.Checked{Virtual: v(nil), Real: r, Message: "100% else|\r\n", Err: errors.New("receive not found")},
			"negotiate http tcp 10.1.0.1 80 2 masq /index.html Welcome [down] 100%25 else%7c%0d%0a",
		},
		"the reason": {
			event.Checked{Virtual: v(nil), Real: r, Err: errors.New("connection refused")},
			"negotiate http tcp 10.1.0.1 80 2 masq /index.html Welcome [down] connection refused",
		},
		"nothing to say, IPv6, no receive": {
			event.Checked{
				Virtual: v(func(v *conf.VirtualService) { v.CheckType, v.Protocol = conf.CheckConnect, conf.FWM }),
				Real:    bare, Up: true,
			},
			"connect fwm [fd00 1 1] 0 1 gate /  [up] -",
		},
		"virtualhost, checkport, backslashes": {
			event.Checked{
				Virtual: v(func(v *conf.VirtualService) { v.VirtualHost, v.CheckPort = "www", 8080 }),
				Real:    &conf.RealServer{Addr: r.Addr, Port: 80, Weight: 1, Request: `/a\:b`, Receive: `x\d::y`},
				Up:      true,
			},
			"negotiate http tcp 10.1.0.1 80 www 8080 1 gate /a b xd y [up] -",
		},
		"external": {
			event.Checked{
				Virtual: v(func(v *conf.VirtualService) { v.CheckType, v.CheckCommand = conf.CheckExternal, "/bin/chk" }),
				Real:    r, Up: true,
			},
			"external /bin/chk tcp 10.1.0.1 80 2 masq /index.html Welcome [up] -",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.checked.Time = at
			want := "[Sun Nov  1 02:12:00 2026] [7] " + test.want + "\n"
			if diff := cmp.Diff(want, checkedLine(7, test.checked)); diff != "" {
				t.Errorf("line differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckWords(t *testing.T) {
	v := conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Service: "ldap"}, CheckCommand: "/bin/chk"}}
	want := map[conf.CheckType]string{
		conf.CheckNegotiate:    "negotiate:ldap",
		conf.CheckCombined:     "combined:ldap",
		conf.CheckConnect:      "connect",
		conf.CheckPing:         "ping",
		conf.CheckExternal:     "external:/bin/chk",
		conf.CheckExternalPerl: "external-perl:/bin/chk",
		conf.CheckOn:           "on",
		conf.CheckOff:          "off",
		conf.CheckAgent:        "agent",
	}
	for checkType, words := range want {
		v.CheckType = checkType
		if got := checkWords(&v); got != words {
			t.Errorf("checktype %d is %q, want %q", checkType, got, words)
		}
	}
}

// TestMonitored sees that the monitor log has the events that history shows, and no others.
// Starts and stops of the daemon are of no virtual service, and have lines in ldirectord.log.
func TestMonitored(t *testing.T) {
	for kind := event.Kind(0); !kind.Silent(); kind++ {
		e := event.Event{Kind: kind, R: "10.1.0.1:80", V: "10.0.0.1:80", ID: "tcp:10.0.0.1:80"}
		want := report.NoteOf(e).Verdict() && kind != event.DaemonStarted && kind != event.DaemonStopped
		if got := monitorLine(e) != ""; got != want {
			t.Errorf("%q has a line in the monitor log: %v, is in the history: %v", kind, got, want)
		}
	}
}
