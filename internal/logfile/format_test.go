package logfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// named is service with a name.
var named = &conf.VirtualService{Alert: conf.Alert{ServiceName: `Shop "north" [1]`, Comment: "of Jürgen"}}

var added = event.Event{
	Time: at, Kind: event.RealAdded, Virtual: named, Real: server, V: "10.0.0.1:80", R: "10.1.0.1:80", ID: "tcp:10.0.0.1:80", Reason: "it says \\ \"]\n\u009b", Weight: 0,
}

// object is a line of JSON. It fails unless text is one line.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Fatalf("no line of JSON: %v: %q", err, text)
	}
	return o
}

func TestJSONLines(t *testing.T) {
	tests := map[string]struct {
		line string
		want map[string]any
	}{
		"no event": {
			jsonLine(me, lineAt("Reading <file>\n{\"a\":1}\x00\u202e")),
			map[string]any{"time": "2026-11-01T02:12:00Z", "config": "t.cf", "pid": 7.0, "text": `Reading <file> {"a":1}  `},
		},
		"an event": {
			jsonLine(me, record{time: at, text: added.String(), event: &added}),
			map[string]any{
				"time": "2026-11-01T02:12:00Z", "config": "t.cf", "pid": 7.0, "text": "Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 0)",
				"kind": "added", "virtual": "tcp:10.0.0.1:80", "real": "10.1.0.1:80", "weight": 0.0, "service": `Shop "north" [1]`, "reason": "it says \\ \"]  ",
			},
		},
		"the monitor log": {
			monitorJSON(event.Event{
				Time: at, Kind: event.Back, Virtual: named, V: "10.0.0.1:80", R: "10.1.0.1:80", ID: "tcp:10.0.0.1:80", Down: time.Minute, Reason: "x\u009by",
				Cause: &event.Cause{Kind: event.CauseReload, Detail: "a\u202eb"},
			}, "director1"),
			map[string]any{
				"time": "2026-11-01T02:12:00Z", "kind": "back", "virtual": "tcp:10.0.0.1:80", "real": "10.1.0.1:80", "text": "real server 10.1.0.1:80 is back: x y; a b",
				"after_seconds": 60.0, "cause": map[string]any{"kind": "reload", "detail": "a b"}, "host": "director1", "service": `Shop "north" [1]`, "comment": "of Jürgen",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, object(t, tt.line)); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStructuredLines(t *testing.T) {
	tests := map[string]struct{ got, want string }{
		"no event": {
			structuredLine(me, 134, lineAt("Reading\nfile")),
			`<134>1 2026-11-01T02:12:00.000000Z director1 ldirectord 7 - [ldirectord@32473 config="t.cf"] Reading file`,
		},
		"an event": {
			structuredLine(sender{name: "t.cf", pid: 7, host: "dir ector\u00e41"}, 134, record{time: at, text: added.String(), event: &added}),
			`<134>1 2026-11-01T02:12:00.000000Z director1 ldirectord 7 added [ldirectord@32473 config="t.cf" kind="added" virtual="tcp:10.0.0.1:80" ` +
				`real="10.1.0.1:80" weight="0" service="Shop \"north\" [1\]" reason="it says \\ \"\]  "] Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 0)`,
		},
		"no host": {
			structuredLine(sender{}, 30, record{time: at, event: &event.Event{Kind: event.SoftReset}}),
			`<30>1 2026-11-01T02:12:00.000000Z - ldirectord 0 soft-failure-over [ldirectord@32473 kind="soft failure over"] `,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

// A reload changes the form of the lines in the same file, also of those that report
// missing ones.
func TestFormatChanges(t *testing.T) {
	dir := t.TempDir()
	cfg := config(filepath.Join(dir, "l"), filepath.Join(dir, "m"))
	l := New(Options{Name: "t.cf", Syslog: filepath.Join(dir, "no")}, cfg)
	l.Event(deleted)
	l.Event(gone)
	inJSON := *cfg
	inJSON.LogFormat, inJSON.MonitorLogFormat = conf.LogJSON, conf.LogJSON
	l.Use(&inJSON)
	l.Event(deleted)
	l.Event(gone)
	missing := []string{string(l.out.Load().queue.missing(3, errBehind)), string(l.monitorMissing(4, errBehind))}
	l.Use(cfg)
	l.Event(deleted)
	l.Event(gone)
	l.Close()
	for name, plain := range map[string]string{"l": "[TIME|t.cf|PID] " + deletedLine, "m": goneLine} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		if len(lines) != 4 || masked(lines[0]) != plain || masked(lines[2]) != plain {
			t.Fatalf("%s has\n%s", name, text)
		}
		if o := object(t, lines[1]); o["virtual"] != "tcp:10.0.0.1:80" && name == "m" || o["real"] != "10.1.0.1:80" || o["kind"] == nil {
			t.Errorf("%s has %s", name, lines[1])
		}
	}
	for i, want := range []string{"3 lines are missing here: ", "4 lines are missing here: "} {
		if o := object(t, missing[i]); !strings.HasPrefix(o["text"].(string), want) {
			t.Errorf("got %s, want %s", missing[i], want)
		}
	}
}

// A supervised daemon's lines are JSON, too; what -d shows is not.
func TestJSONOnStreams(t *testing.T) {
	cfg := config("local0", "")
	cfg.LogFormat, cfg.Supervised = conf.LogJSON, true
	var stdout, stderr bytes.Buffer
	l := New(Options{Name: "t.cf", Stdout: &stdout}, cfg)
	l.Event(deleted)
	l.Close()
	if o := object(t, stdout.String()); o["kind"] != "deleted" {
		t.Errorf("got %s", stdout.String())
	}
	l = New(Options{Name: "t.cf", Stderr: &stderr, Debug: true}, cfg)
	l.Event(deleted)
	l.Close()
	if want := "DEBUG2: " + deletedLine + deletedLine; stderr.String() != want {
		t.Errorf("got %q, want %q", stderr.String(), want)
	}
	stderr.Reset()
	cfg.MonitorLogFormat = conf.LogJSON
	l = New(Options{Name: "t.cf", Stderr: &stderr, Debug: true, DryRun: true}, cfg)
	l.Event(gone)
	l.Close()
	if got := masked(stderr.String()); got != goneLine {
		t.Errorf("got %q, want %q", got, goneLine)
	}
}

func TestStructuredSyslog(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	conn := syslogd(t, socket)
	cfg := config("local0", "")
	cfg.LogFormat = conf.LogJSON
	l := New(Options{Name: "t.cf", Syslog: socket}, cfg)
	l.Event(deleted)
	l.Use(config("local0", "")) // the same socket, the original's form
	l.Event(deleted)
	l.Close()
	for _, want := range []string{
		`^<134>1 20\d\d-\S+ \S+ ldirectord \d+ deleted \[ldirectord@32473 config="t\.cf" kind="deleted" real="10\.1\.0\.1:80"\] Deleted real server: 10\.1\.0\.1:80 \(10\.0\.0\.1:80\)$`,
		`^<134>[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d ldirectord\[\d+\]: Deleted real server`,
	} {
		if got := receive(t, conn); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
}

// Without Stderr a log that cannot be written is no end of the daemon.
func TestNoStderr(t *testing.T) {
	l := New(Options{Name: "t.cf", Syslog: filepath.Join(t.TempDir(), "no")}, config("local0", ""))
	l.Printf("lost")
	l.Close()
	if faults := l.Faults(); len(faults) != 1 {
		t.Errorf("faults: %v", faults)
	}
}

// params are the parameters of a message's structured data, as a receiver reads them (RFC
// 5424, section 6.3), and the text behind.
func params(t *testing.T, line string) (list map[string]string, text string) {
	t.Helper()
	list = map[string]string{}
	_, rest, ok := strings.Cut(line, " ["+structuredID)
	for ok && strings.HasPrefix(rest, " ") {
		var name string
		if name, rest, ok = strings.Cut(rest[1:], `="`); !ok {
			break
		}
		var value strings.Builder
		i := 0
		for ; i < len(rest) && rest[i] != '"'; i++ {
			switch {
			case rest[i] == ']':
				ok = false
			case rest[i] == '\\' && i+1 < len(rest):
				i++
			}
			value.WriteByte(rest[i])
		}
		list[name], rest = value.String(), rest[min(i+1, len(rest)):]
	}
	text, found := strings.CutPrefix(rest, "] ")
	if !ok || !found {
		t.Fatalf("no structured data: %q", line)
	}
	return list, text
}

// FuzzFormats has lines of any texts: each is one line, and a receiver reads back what
// was written.
func FuzzFormats(f *testing.F) {
	f.Add("t.cf", "Added x", `Shop "north" [1]`, "it says \\ \"]\n\u009b\xff")
	f.Add("a\nb", "<1>forged", "]", `\`)
	f.Fuzz(func(t *testing.T, name, text, serviceName, reason string) {
		s := sender{name: name, pid: 7, host: name}
		e := added
		e.Virtual = &conf.VirtualService{Alert: conf.Alert{ServiceName: serviceName}}
		e.Reason = reason
		r := record{time: at, text: text, event: &e}
		valid := func(text string) string { return strings.ToValidUTF8(oneLine(text), "\ufffd") }

		o := object(t, jsonLine(s, r))
		if got, _ := o["reason"].(string); got != toUTF8(oneLine(reason)) {
			t.Errorf("JSON has the reason %q, want %q", got, toUTF8(oneLine(reason)))
		}
		line := structuredLine(s, 134, r)
		if safetext.Line(line) != line {
			t.Errorf("more than one line: %q", line)
		}
		list, rest := params(t, line)
		for param, want := range map[string]string{"config": valid(name), "service": valid(oneLine(serviceName)), "reason": valid(oneLine(reason)), "weight": "0"} {
			if list[param] != want {
				t.Errorf("%s is %q, want %q: %s", param, list[param], want, line)
			}
		}
		if rest != oneLine(text) {
			t.Errorf("the text is %q, want %q", rest, oneLine(text))
		}
		object(t, monitorJSON(event.Event{Time: at, Kind: event.Gone, Virtual: e.Virtual, R: "10.1.0.1:80", ID: "tcp:10.0.0.1:80", Reason: reason}, name))
	})
}

// toUTF8 replaces each byte that is no UTF-8, as encoding/json does.
func toUTF8(text string) string { return string([]rune(text)) }
