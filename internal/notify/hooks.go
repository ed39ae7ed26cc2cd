package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// told are the kinds of events for notifycommand and webhook: those that may need
// an operator, not every step of the kernel.
var told = map[event.Kind]bool{
	event.Gone: true, event.Back: true, event.AllGone: true, event.AnyBack: true, event.Ordered: true,
	event.Refused: true, event.Repaired: true, event.Differs: true, event.Expiring: true, event.Kept: true, event.NotAsked: true,
	event.Started: true, event.StillGone: true,
}

// A message is an event on the standard input of a notifycommand, and in the list
// "events" of a webhook.
type message struct {
	report.Note
	Host    string `json:"host"` // of the director
	Service string `json:"service,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// A delivery is the body of a request to a webhook.
type delivery struct {
	Events  []message `json:"events"`
	Omitted int       `json:"omitted,omitempty"` // number of omitted events
}

// hookPause is the time for which events are collected for a webhook without
// emailalertgroup: a dead rack makes one request.
const hookPause = 500 * time.Millisecond

// The number of events that may wait for the command, each of which takes a
// process, and of full deliveries for the webhook.
const (
	commandsWaiting   = 20_000
	deliveriesWaiting = 20
)

// hookTimeout limits one request to a webhook.
const hookTimeout = 10 * time.Second

// hooks send events to a command and a web server. The methods do not block, except
// close.
type hooks struct {
	log   func(format string, args ...any)
	host  string
	lanes *lanes // one for commands, one for each webhook
	http  *http.Client

	mu      sync.Mutex
	command secret.Command
	webhook secret.URL
	collect time.Duration
	next    delivery
	timer   *time.Timer // nil unless events are being collected
	lost    int         // deliveries lost since the last one queued
	untold  int         // events lost for the command since the last one queued
	closed  bool
}

func newHooks(host string, log func(string, ...any), cfg *conf.Config) *hooks {
	h := &hooks{
		log: log, host: host, lanes: newLanes(commandsWaiting),
		http: &http.Client{
			Timeout:   hookTimeout,
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: hookTimeout, MaxIdleConns: 1, IdleConnTimeout: time.Minute},
			// A redirected POST arrives as a GET without its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	h.use(cfg)
	return h
}

// use applies the configuration.
func (h *hooks) use(cfg *conf.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.webhook != cfg.Webhook {
		h.post() // to the webhook that was configured at their time
	}
	h.command, h.webhook, h.collect = cfg.NotifyCommand, cfg.Webhook, max(cfg.EmailAlertGroup, hookPause)
}

// event delivers an event.
func (h *hooks) event(e event.Event) {
	if !told[e.Kind] {
		return
	}
	m := message{Note: report.NoteOf(e), Host: h.host, Service: e.Virtual.ServiceName, Comment: e.Virtual.Comment}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	if h.command != "" {
		h.run(h.command, m)
	}
	if h.webhook != "" {
		h.gather(m)
	}
}

// run runs the command for one event. A full queue is logged once, until it has
// room again. h.mu is held.
func (h *hooks) run(line secret.Command, m message) {
	text, err := json.Marshal(m)
	if err == nil && !h.lanes.do("command", func(ctx context.Context) { h.runCommand(ctx, line, append(text, '\n')) }) {
		err = errTooManyCommands
	}
	switch {
	case err != nil:
		if h.untold == 0 {
			h.log(lineCommandFailed, line, err)
		}
		h.untold++
	case h.untold > 0:
		h.log(lineCommandWorks, h.untold)
		h.untold = 0
	}
}

func (h *hooks) runCommand(ctx context.Context, line secret.Command, text []byte) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	result, err := command.Run(ctx, command.Command{Shell: line.Reveal(), Stdin: text})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		h.log(lineCommandFailed, line, err)
	}
}

// gather adds to the next delivery of the webhook. A full delivery is sent at once,
// unless many wait already: then further events are only counted. h.mu is held.
func (h *hooks) gather(m message) {
	full := len(h.next.Events) >= mostListed
	if full && h.lanes.waitingIn(h.lane()) < deliveriesWaiting {
		h.post()
		full = false
	}
	if h.timer == nil {
		h.timer = time.AfterFunc(h.collect, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.post()
		})
	}
	if full {
		h.next.Omitted++
		return
	}
	h.next.Events = append(h.next.Events, m)
}

// lane is the name of the webhook's lane. h.mu is held.
func (h *hooks) lane() string { return "webhook " + h.webhook.Reveal() }

// post sends the collected events. h.mu is held.
func (h *hooks) post() {
	if h.timer == nil {
		return
	}
	h.timer.Stop()
	h.timer = nil
	text, err := json.Marshal(h.next)
	h.next = delivery{}
	to := h.webhook
	if err == nil && !h.lanes.do(h.lane(), func(ctx context.Context) { h.deliver(ctx, to, text) }) {
		err = errors.New("too much waits for it already")
	}
	if err != nil {
		h.log(lineWebhookFailed, hostOf(to), err)
	}
}

// deliver posts text, with retries. A failure is logged once until a delivery
// succeeds.
func (h *hooks) deliver(ctx context.Context, to secret.URL, text []byte) {
	again, err := h.send(ctx, to, text)
	for _, pause := range retryPauses {
		if err == nil || !again || h.lanes.closing() {
			break
		}
		h.lanes.pause(pause)
		again, err = h.send(ctx, to, text)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil && h.lost == 0:
		h.log(lineWebhookFailed, hostOf(to), err)
	case err == nil && h.lost > 0:
		h.log(lineWebhookWorks, hostOf(to), h.lost)
	}
	h.lost++
	if err == nil {
		h.lost = 0
	}
}

// send posts text once. again reports whether a retry may help.
func (h *hooks) send(ctx context.Context, to secret.URL, text []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Reveal(), bytes.NewReader(text))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ldirectord")
	resp, err := h.http.Do(req)
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
	return again, fmt.Errorf("it answers %s", resp.Status)
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

// end sends the collected events and stops.
func (h *hooks) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.post()
	h.closed = true
}
