package notify

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

func TestSubjectOf(t *testing.T) {
	e := event.Event{R: "10.1.0.1:80", V: "10.0.0.1:80", Weight: 2, Phase: "stop"}
	mailed := map[event.Kind]string{
		event.RealAdded:    "Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 2)",
		event.RealRestored: "Restored real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 2)",
		event.RealQuiesced: "Quiescent real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 2)",
		event.RealDeleted:  "Deleted real server: 10.1.0.1:80 (10.0.0.1:80)",
		event.RealPurged:   "Purged real server (stop): 10.1.0.1:80 (10.0.0.1:80)",
	}
	for kind := event.VirtualAdded; kind <= event.FallbackOff; kind++ {
		e.Kind = kind
		if got, want := subjectOf(e), mailed[kind]; got != want {
			t.Errorf("subject of kind %d is %q, want %q", kind, got, want)
		}
	}
}

func TestCompose(t *testing.T) {
	r := route{from: "a@b", to: "c@d"}
	tests := map[string]struct {
		alerts        []alert
		omitted       int
		subject, body string
	}{
		"one event": {
			[]alert{{subject: "Deleted real server: R (V)", status: conf.Running}},
			0,
			"Deleted real server: R (V)",
			"ldirectord host: director\nLog-Message: Deleted real server: R (V)\nDaemon-Status: running\n",
		},
		"with servicename and comment": {
			[]alert{{subject: "Added x", status: conf.Starting, name: "Web Site", comment: "call Bob"}},
			0,
			"[Web Site] Added x",
			"ldirectord host: director\nLog-Message: [Web Site] Added x\nDaemon-Status: starting\n\nService name: Web Site\nComment: call Bob\n",
		},
		"with its reason": {
			[]alert{{subject: "Deleted x", status: conf.Running, reason: "connection\nrefused, 3 attempts"}},
			0,
			"Deleted x",
			"ldirectord host: director\nLog-Message: Deleted x\nReason: connection refused, 3 attempts\nDaemon-Status: running\n",
		},
		"with a comment only": {
			[]alert{{subject: "Added x", status: conf.Stopping, comment: "call Bob"}},
			0,
			"Added x",
			"ldirectord host: director\nLog-Message: Added x\nDaemon-Status: stopping\n\nComment: call Bob\n",
		},
		"a group": {
			[]alert{
				{subject: "Deleted a", status: conf.Running, name: "S"},
				{subject: "Deleted b", status: conf.Reloading, name: "S"},
				{subject: "Deleted c", status: conf.Reloading, name: "T"},
			},
			2,
			"5 events: [S] Deleted a and 4 more",
			"ldirectord host: director\nLog-Message: [S] Deleted a\nLog-Message: [S] Deleted b\nLog-Message: [T] Deleted c\n" +
				"and 2 more, see the log\nDaemon-Status: reloading\n\nService name: S\n\nService name: T\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := compose(r, "director", test.alerts, test.omitted)
			if got.route != r {
				t.Errorf("route is %+v, want %+v", got.route, r)
			}
			if diff := cmp.Diff(test.subject, got.subject); diff != "" {
				t.Errorf("subject differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.body, got.body); diff != "" {
				t.Errorf("body differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	now := time.Date(2026, time.November, 1, 2, 12, 0, 0, time.UTC)
	l := letter{route: route{from: "ld@example.com", to: "a@example.com, b@example.com"}, subject: "Deleted x", body: "one\ntwo\n"}
	text := string(l.message(now, "director"))
	before, rest, _ := strings.Cut(text, "Message-ID: <")
	_, after, _ := strings.Cut(rest, "@director>\r\n")
	want := "From: ld@example.com\r\nTo: a@example.com, b@example.com\r\nSubject: Deleted x\r\nDate: Sun, 01 Nov 2026 02:12:00 +0000\r\n"
	if diff := cmp.Diff(want, before); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("\r\none\r\ntwo\r\n", after); diff != "" {
		t.Errorf("body differs (-want +got):\n%s", diff)
	}
	if again := string(l.message(now, "director")); again == text {
		t.Error("two mails have the same Message-ID")
	}
}

func TestMessageBeyondASCII(t *testing.T) {
	l := letter{route: route{from: "a@b\r\nBcc: evil@example.com\u0085\u202e", to: "c@d"}, subject: "[Überwachung] Deleted x", body: "Comment: Müller = 1\n"}
	read, err := mail.ReadMessage(strings.NewReader(string(l.message(time.Now(), "h"))))
	if err != nil {
		t.Fatal(err)
	}
	if bcc := read.Header.Get("Bcc"); bcc != "" {
		t.Errorf("a header was forged: Bcc: %s", bcc)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
	if err != nil || subject != l.subject {
		t.Errorf("subject reads as %q, %v, want %q", subject, err, l.subject)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(read.Body))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(body), "Comment: Müller = 1\r\n"; got != want {
		t.Errorf("body reads as %q, want %q", got, want)
	}
	if got, want := read.Header.Get("Content-Type"), "text/plain; charset=utf-8"; got != want {
		t.Errorf("Content-Type is %q, want %q", got, want)
	}
}

func TestRecipients(t *testing.T) {
	tests := map[string][]string{
		"ops@example.com":                     {"ops@example.com"},
		"a@example.com, b@example.com":        {"a@example.com", "b@example.com"},
		"a@example.com b@example.com":         {"a@example.com", "b@example.com"},
		"Ops Team <ops@example.com>, b@x.org": {"ops@example.com", "b@x.org"},
		"root":                                {"root"},
		"root, a@example.com":                 {"root", "a@example.com"},
		"<root>;\r\nDATA":                     {"root", "DATA"},
		"":                                    nil,
	}
	for list, want := range tests {
		got := recipients(list)
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("recipients of %q differ (-want +got):\n%s", list, diff)
		}
	}
}
