package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// hookPause is the time for which events are collected for a webhook without
// emailalertgroup: a dead rack makes one request.
const hookPause = 500 * time.Millisecond

// hookTimeout limits one request to a webhook.
const hookTimeout = 10 * time.Second

// signatureHeader has "sha256=" and the HMAC of the body in hexadecimal digits, as
// GitHub and other senders of webhooks have it.
const signatureHeader = "X-Hub-Signature-256"

// A receiver is the other end of a webhook.
type receiver struct {
	url    secret.URL // "" is none
	format conf.WebhookFormat
	key    secret.Text // of the signature, "" is none
}

// A webhook posts events to a web server. Its methods do not block.
type webhook struct {
	log   func(format string, args ...any)
	host  string
	lanes *lanes // each URL has one
	http  *http.Client

	mu      sync.Mutex
	to      receiver
	collect time.Duration
	next    delivery
	timer   *time.Timer // nil unless events are being collected
	latest  receiver    // of the last delivery that has ended
	lost    int         // deliveries lost to it since the last one that arrived
	firing  firing      // the alerts that have not ended
	resend  *time.Timer // nil unless alerts are repeated
	closed  bool
}

func newWebhook(host string, log func(string, ...any), lanes *lanes) *webhook {
	return &webhook{
		log: log, host: host, lanes: lanes, firing: firing{},
		http: &http.Client{
			Timeout:   hookTimeout,
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: hookTimeout, MaxIdleConns: 1, IdleConnTimeout: time.Minute},
			// A redirected POST arrives as a GET without its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// use applies the configuration. Alerts about what it no longer has end.
func (w *webhook) use(cfg *conf.Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	to := receiver{cfg.Webhook, cfg.WebhookFormat, cfg.WebhookSecret}
	if w.to != to {
		w.post() // to the receiver that was configured at their time
	}
	w.to, w.collect = to, max(cfg.EmailAlertGroup, hookPause)
	if to.format == conf.WebhookAlertmanager { // an alert has to arrive before its end
		w.collect = min(w.collect, alertResend)
	}
	for _, a := range w.firing.retain(cfg, time.Now()) {
		w.gather(item{alert: a})
	}
	w.repeat()
}

// event collects what the receiver gets of an event. What is left to another director is only for an
// Alertmanager.
func (w *webhook) event(e event.Event, left bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	a := w.firing.alert(e, w.host)
	switch {
	case w.to.format != conf.WebhookAlertmanager && reported[e.Kind] && !left:
		w.gather(item{message: report.MessageOf(e, w.host)})
	case w.to.format == conf.WebhookAlertmanager && a != nil:
		w.gather(item{alert: a})
		w.repeat()
	}
}

// gather adds to the next delivery. A full delivery is sent at once, unless many wait
// already: then what follows is only counted. w.mu is held.
func (w *webhook) gather(i item) {
	if w.to.url == "" || i.alert != nil && w.to.format != conf.WebhookAlertmanager {
		return
	}
	full := w.next.len() >= mostListed
	if full && w.lanes.waitingIn(w.lane()) < deliveriesWaiting {
		w.post()
		full = false
	}
	if w.timer == nil {
		w.timer = time.AfterFunc(w.collect, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.post()
		})
	}
	if full {
		w.next.Omitted++
		return
	}
	w.next.add(i)
}

// lane is the name of the receiver's lane. w.mu is held.
func (w *webhook) lane() string { return "webhook " + w.to.url.Reveal() }

// post sends what was collected. w.mu is held.
func (w *webhook) post() {
	if w.timer == nil {
		return
	}
	w.timer.Stop()
	w.timer = nil
	d := w.next
	w.next = delivery{}
	w.queue(d)
}

// queue queues a delivery. w.mu is held.
func (w *webhook) queue(d delivery) {
	text, err := d.body(w.to.format)
	to := w.to
	if err == nil && !w.lanes.do(w.lane(), func(ctx context.Context) { w.deliver(ctx, to, text) }) {
		err = errors.New("too much waits for it already")
	}
	if err != nil {
		w.log(lineWebhookFailed, hostOf(to.url), err)
	}
}

// repeat starts the timer that sends firing alerts again: an Alertmanager ends those that
// are not repeated, and knows none after its own restart. w.mu is held.
func (w *webhook) repeat() {
	needed := len(w.firing) > 0 && w.to.url != "" && w.to.format == conf.WebhookAlertmanager && !w.closed
	switch {
	case needed && w.resend == nil:
		var timer *time.Timer
		timer = time.AfterFunc(alertResend, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.resend == timer { // else it was stopped just now
				w.sendAgain()
			}
		})
		w.resend = timer
	case !needed && w.resend != nil:
		w.resend.Stop()
		w.resend = nil
	}
}

// sendAgain sends all firing alerts, unless the receiver hangs: it is sent more of them
// when it has those that wait. w.mu is held.
func (w *webhook) sendAgain() {
	w.post()
	if w.lanes.waitingIn(w.lane()) == 0 {
		for _, d := range w.firing.deliveries(time.Now()) {
			w.queue(d)
		}
	}
	w.resend = nil
	w.repeat()
}

// deliver posts text, with retries. A failure is logged once until a delivery to
// the same receiver succeeds.
func (w *webhook) deliver(ctx context.Context, to receiver, text []byte) {
	again, err := w.send(ctx, to, text)
	for _, pause := range retryPauses {
		if err == nil || !again || w.lanes.closing() {
			break
		}
		w.lanes.pause(pause)
		again, err = w.send(ctx, to, text)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest != to {
		w.latest, w.lost = to, 0
	}
	switch {
	case err != nil && w.lost == 0:
		w.log(lineWebhookFailed, hostOf(to.url), err)
	case err == nil && w.lost > 0:
		w.log(lineWebhookWorks, hostOf(to.url), w.lost)
	}
	w.lost++
	if err == nil {
		w.lost = 0
	}
}

// send posts text once. again reports whether a retry may help.
func (w *webhook) send(ctx context.Context, to receiver, text []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url.Reveal(), bytes.NewReader(text))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ldirectord")
	if to.key != "" {
		req.Header.Set(signatureHeader, signature(to.key, text))
	}
	resp, err := w.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the URL, which may contain a secret
		}
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests
	// Not resp.Status: the server's own words may repeat the URL.
	return again, fmt.Errorf("it answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
}

// signature is the value of signatureHeader for a body.
func signature(key secret.Text, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write(body) // never fails
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// hostOf is the printable part of a webhook's URL: its path and query are often a
// secret.
func hostOf(to secret.URL) string {
	u, err := url.Parse(to.Reveal())
	if err != nil {
		return "webhook"
	}
	return u.Host
}

// end sends what was collected and stops.
func (w *webhook) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.post()
	w.closed = true
	w.repeat()
}
