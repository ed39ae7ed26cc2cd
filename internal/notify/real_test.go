package notify

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// added is what Postfix adds to a mail on its way, and what differs from mail
// to mail.
var added = regexp.MustCompile(`(?m)^(Return-Path|X-Original-To|Delivered-To|Received|Date|Message-ID): .*\n([ \t].*\n)*`)

// TestRealMail has a mail system deliver what a change makes, handed over by
// SMTP and to the local mailer.
func TestRealMail(t *testing.T) {
	office := realserver.NewPostOffice(t)
	at := office.Addr("smtp")
	var want []string
	for _, server := range []string{at.Addr().String(), ""} {
		v := &conf.VirtualService{
			Alert: conf.Alert{EmailAlert: "ops@example.com, Grüne Wiese <wiese@example.com>", EmailAlertFrom: "director@example.com", EmailAlertStatus: conf.Running, SMTP: server, ServiceName: "shop " + server},
		}
		var log []string
		n := New(Options{Log: func(f string, _ ...any) { log = append(log, f) }, SMTPPort: int(at.Port()), Sendmail: office.Sendmail}, &conf.Config{})
		n.host, n.sender = "director.example.com", "root@example.com"
		n.Event(event.Event{
			Kind: event.RealAdded, Virtual: v, Real: &conf.RealServer{}, Status: conf.Running,
			V: "10.0.0.1:80", R: "10.1.0.1:80", Weight: 2,
		})
		n.Close(time.Time{})
		if diff := cmp.Diff([]string{lineMailed}, log); diff != "" {
			t.Errorf("by %q: log lines differ (-want +got):\n%s", server, diff)
		}
		text := strings.NewReplacer("SERVER", server).Replace(`From: director@example.com
To: ops@example.com, Grüne Wiese <wiese@example.com>
Subject: [shop SERVER] Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 2)

ldirectord host: director.example.com
Log-Message: [shop SERVER] Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 2)
Daemon-Status: running

Service name: shop SERVER
`)
		want = append(want, text, text) // one for each recipient
	}
	var got []string
	for _, mail := range office.Mails(len(want)) {
		got = append(got, added.ReplaceAllString(mail, ""))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mails differ (-want +got):\n%s", diff)
	}
}
