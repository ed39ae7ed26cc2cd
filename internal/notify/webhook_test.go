package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A post is a request to a webhook.
type post struct {
	after  time.Duration
	header http.Header
	body   string
}

// A box is a transport that keeps requests.
type box struct {
	mu    sync.Mutex
	began time.Time
	posts []post
}

func (b *box) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.posts = append(b.posts, post{time.Since(b.began), r.Header.Clone(), string(text)})
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// take returns the posts since the last call.
func (b *box) take() []post {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	posts := b.posts
	b.posts = nil
	return posts
}

var (
	real1 = &conf.RealServer{Addr: netip.MustParseAddr("10.1.0.1"), Port: 80}
	real2 = &conf.RealServer{Addr: netip.MustParseAddr("10.1.0.2"), Port: 80}
	shop  = &conf.VirtualService{Addr: netip.MustParseAddr("10.0.0.1"), Port: 80, Reals: []*conf.RealServer{real1, real2}, Alert: conf.Alert{ServiceName: "Shop"}}
)

// happened is an event of shop, now.
func happened(k event.Kind, r *conf.RealServer, reason string) event.Event {
	e := event.Event{Kind: k, Time: time.Now(), Virtual: shop, ID: "tcp:10.0.0.1:80", V: "10.0.0.1:80", Real: r, Reason: reason}
	if r != nil {
		e.R = r.AddrPort().String()
	}
	return e
}

// TestWebhookIsSigned has a receiver that trusts nothing but the signature.
func TestWebhookIsSigned(t *testing.T) {
	const key = "a key & more"
	for name, format := range map[string]conf.WebhookFormat{"json": conf.WebhookJSON, "alertmanager": conf.WebhookAlertmanager, "slack": conf.WebhookSlack} {
		for _, key := range []secret.Text{key, ""} {
			t.Run(fmt.Sprintf("%s, %d", name, len(key)), func(t *testing.T) {
				var got, body string
				server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					text, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					got, body = r.Header.Get("X-Hub-Signature-256"), string(text)
				}))
				defer server.Close()
				h := newHooks("director", t.Logf, &conf.Config{Notify: conf.Notify{Webhook: secret.URL(server.URL), WebhookFormat: format, WebhookSecret: key}})
				h.event(happened(event.Gone, real1, "<refused> & gone"), false)
				h.close()
				want := ""
				if key != "" {
					mac := hmac.New(sha256.New, []byte(key))
					mac.Write([]byte(body))
					want = "sha256=" + hex.EncodeToString(mac.Sum(nil))
				}
				if got != want || !json.Valid([]byte(body)) || !strings.Contains(body, "10.1.0.1:80") {
					t.Errorf("signature %q, want %q, of the body %s", got, want, body)
				}
			})
		}
	}
}

// TestSignature has the example of GitHub's documentation of the header.
func TestSignature(t *testing.T) {
	const want = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if got := signature("It's a Secret to Everybody", []byte("Hello, World!")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSlack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{began: time.Now()}
		h := newHooks("director", t.Logf, &conf.Config{Notify: conf.Notify{Webhook: "https://hooks.slack.com/x", WebhookFormat: conf.WebhookSlack}})
		h.web.http.Transport = b
		h.event(happened(event.Gone, real1, "it says <!channel> & *more*\nsecond line"), false)
		h.event(happened(event.Back, real2, ""), false)
		h.event(happened(event.FirstDown, real2, ""), false) // no news
		time.Sleep(time.Second)
		posts := b.take()
		h.close()
		if len(posts) != 1 {
			t.Fatalf("%d requests: %v", len(posts), posts)
		}
		var got any
		if err := json.Unmarshal([]byte(posts[0].body), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"mrkdwn": false,
			"text": "director: real server 10.1.0.1:80 is gone: it says &lt;!channel&gt; &amp; *more* second line (Shop, tcp:10.0.0.1:80)\n" +
				"director: real server 10.1.0.2:80 is back (Shop, tcp:10.0.0.1:80)",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
	})
}

// Slack cuts long messages: it gets as many whole lines as fit, and the number of the rest.
func TestSlackIsShort(t *testing.T) {
	var d delivery
	for i := range 500 {
		m := report.MessageOf(happened(event.Gone, real1, fmt.Sprintf("no. %d", i)), "director")
		d.add(item{message: m})
	}
	d.Omitted = 7
	lines := strings.Split(d.slackText(), "\n")
	shown := len(lines) - 1
	if text := d.slackText(); len(text) > 4000 || lines[shown] != fmt.Sprintf("and %d more, see the log", 507-shown) || shown < 20 {
		t.Errorf("%d bytes, %d lines, the last is %q", len(text), len(lines), lines[shown])
	}
	long := delivery{Events: []report.Message{report.MessageOf(happened(event.Gone, real1, strings.Repeat("ä", 10_000)), "director")}}
	if text := long.slackText(); len(text) > 4000 || !strings.HasSuffix(text, "ä …") {
		t.Errorf("%d bytes, at their end %q", len(text), text[len(text)-10:])
	}
}

// seenAlert is a postableAlert as a test compares it: times are seconds since its start.
type seenAlert struct {
	Name, Severity, Real, Summary string
	Starts, Ends                  time.Duration
}

// TestAlertmanager follows alerts from their beginning to their end.
func TestAlertmanager(t *testing.T) {
	const realDown, noReal = "LdirectordRealServerDown", "LdirectordNoRealServer"
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		b := &box{began: began}
		cfg := &conf.Config{
			Virtuals: []*conf.VirtualService{shop},
			Notify:   conf.Notify{Webhook: "http://127.0.0.1:9093/api/v2/alerts", WebhookFormat: conf.WebhookAlertmanager},
		}
		h := newHooks("director", t.Logf, cfg)
		h.web.http.Transport = b
		alerts := func(want ...seenAlert) {
			t.Helper()
			var got []seenAlert
			for _, p := range b.take() {
				var list []postableAlert
				if err := json.Unmarshal([]byte(p.body), &list); err != nil {
					t.Fatalf("%v: %s", err, p.body)
				}
				for _, a := range list {
					if a.Labels["instance"] != "director" || a.Labels["virtual"] != "tcp:10.0.0.1:80" || a.Annotations["service"] != "Shop" {
						t.Errorf("labels %v, annotations %v", a.Labels, a.Annotations)
					}
					got = append(got, seenAlert{a.Labels["alertname"], a.Labels["severity"], a.Labels["real"], a.Annotations["summary"], a.StartsAt.Sub(began), a.EndsAt.Sub(began)})
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %v (-want +got):\n%s", time.Since(began), diff)
			}
		}
		const gone1 = "real server 10.1.0.1:80 is gone: refused"
		h.event(happened(event.Gone, real1, "refused"), false)
		h.event(happened(event.Ordered, real1, "drain by root"), false)
		h.event(happened(event.Started, nil, "1 of 2 in service"), false)
		time.Sleep(time.Second)
		alerts(seenAlert{realDown, "warning", "10.1.0.1:80", gone1, 0, 4 * time.Minute})

		time.Sleep(time.Minute - time.Second)
		alerts(seenAlert{realDown, "warning", "10.1.0.1:80", gone1, 0, 5 * time.Minute})

		// One that is down from the start on, and with it the virtual service.
		h.event(happened(event.FirstDown, real2, "refused"), false)
		h.event(happened(event.AllGone, nil, ""), false)
		time.Sleep(time.Second)
		const words = "real server 10.1.0.2:80 is down: refused"
		alerts(
			seenAlert{realDown, "warning", "10.1.0.2:80", words, time.Minute, 5 * time.Minute},
			seenAlert{noReal, "critical", "", "no real server of 10.0.0.1:80 is left", time.Minute, 5 * time.Minute},
		)
		h.event(happened(event.AnyBack, nil, ""), false)
		h.event(happened(event.Back, real1, ""), false)
		time.Sleep(time.Second)
		alerts(
			seenAlert{noReal, "critical", "", "no real server of 10.0.0.1:80 is left", time.Minute, time.Minute + time.Second},
			seenAlert{realDown, "warning", "10.1.0.1:80", gone1, 0, time.Minute + time.Second},
		)
		time.Sleep(58 * time.Second)
		alerts(seenAlert{realDown, "warning", "10.1.0.2:80", words, time.Minute, 6 * time.Minute})

		// A reload without it, and what has no end of its own.
		without := *shop
		without.Reals = without.Reals[:1]
		h.use(&conf.Config{Virtuals: []*conf.VirtualService{&without}, Notify: cfg.Notify})
		h.event(happened(event.Refused, nil, "no memory"), false)
		time.Sleep(5 * time.Minute)
		alerts(
			seenAlert{realDown, "warning", "10.1.0.2:80", words, time.Minute, 2 * time.Minute},
			seenAlert{"LdirectordKernelRefuses", "warning", "", "Refused by the kernel: no memory", 2 * time.Minute, 62 * time.Minute},
		)

		// Maintenance is no alert, and ends one; what fails after it is one.
		h.event(happened(event.Gone, real1, "refused"), false)
		time.Sleep(time.Second)
		e := happened(event.Gone, real1, "in maintenance")
		e.Cause = &event.Cause{Kind: event.CauseMaintenance}
		h.event(e, false)
		time.Sleep(time.Second)
		h.event(happened(event.StillGone, real1, "refused"), false)
		time.Sleep(time.Second)
		h.event(happened(event.Maintained, real1, ""), false) // while it is down
		time.Sleep(time.Second)
		const still = "real server 10.1.0.1:80 is still gone: refused"
		alerts(
			seenAlert{realDown, "warning", "10.1.0.1:80", gone1, 7 * time.Minute, 11 * time.Minute},
			seenAlert{realDown, "warning", "10.1.0.1:80", gone1, 7 * time.Minute, 7*time.Minute + time.Second},
			seenAlert{realDown, "warning", "10.1.0.1:80", still, 7*time.Minute + 2*time.Second, 11*time.Minute + 2*time.Second},
			seenAlert{realDown, "warning", "10.1.0.1:80", still, 7*time.Minute + 2*time.Second, 7*time.Minute + 3*time.Second},
		)
		h.close()
		time.Sleep(5 * time.Minute)
		alerts()
	})
}

// Alerts that began under another format are sent when the format changes.
func TestAlertmanagerAfterReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{began: time.Now()}
		cfg := conf.Config{Virtuals: []*conf.VirtualService{shop}, Notify: conf.Notify{Webhook: "http://127.0.0.1:9093/api/v2/alerts"}}
		h := newHooks("director", t.Logf, &cfg)
		h.web.http.Transport = b
		h.event(happened(event.Gone, real1, "refused"), false)
		cfg.WebhookFormat = conf.WebhookAlertmanager
		h.use(&cfg) // sends what was collected in the form of its time
		if posts := b.take(); len(posts) != 1 || !strings.HasPrefix(posts[0].body, `{"events":`) {
			t.Errorf("before: %v", posts)
		}
		time.Sleep(time.Minute)
		if posts := b.take(); len(posts) != 1 || !strings.HasPrefix(posts[0].body, `[{"labels":`) {
			t.Errorf("after: %v", posts)
		}
		h.close()
	})
}

// With a long emailalertgroup an alert does not end before it is sent.
func TestAlertmanagerWithGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{began: time.Now()}
		cfg := conf.Config{
			Virtuals: []*conf.VirtualService{shop},
			Notify:   conf.Notify{Webhook: "http://127.0.0.1:9093/api/v2/alerts", WebhookFormat: conf.WebhookAlertmanager, EmailAlertGroup: 2 * time.Hour},
		}
		h := newHooks("director", t.Logf, &cfg)
		h.web.http.Transport = b
		h.event(happened(event.Refused, nil, "no memory"), false)
		time.Sleep(time.Minute)
		if posts := b.take(); len(posts) != 1 || posts[0].after > time.Minute {
			t.Errorf("after a minute: %v", posts)
		}
		h.close()
	})
}

// An Alertmanager refuses an alert that ends before it begins: the clock may be set back.
func TestAlertDoesNotEndBeforeItBegins(t *testing.T) {
	f := firing{}
	f.alert(happened(event.Gone, real1, ""), "director")
	e := happened(event.Back, real1, "")
	e.Time = e.Time.Add(-time.Hour)
	if a := f.alert(e, "director"); a == nil || a.EndsAt.Before(a.StartsAt) {
		t.Errorf("got %+v", a)
	}
}
