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

// told are the kinds of events that notifycommand and webhook are told of: what
// somebody may have to do something about, and not every step of the kernel's.
var told = map[event.Kind]bool{
	event.Gone: true, event.Back: true, event.AllGone: true, event.AnyBack: true, event.Ordered: true,
	event.Refused: true, event.Repaired: true, event.Differs: true, event.Expiring: true, event.Kept: true, event.NotAsked: true,
	event.Started: true, event.StillGone: true,
}

// A message is an event as a notifycommand gets it on its standard input, and
// a webhook in the list "events".
type message struct {
	report.Note
	Host    string `json:"host"` // the director's
	Service string `json:"service,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// A delivery is what a webhook is sent.
type delivery struct {
	Events  []message `json:"events"`
	Omitted int       `json:"omitted,omitempty"` // that were too many
}

// hookPause is how long events are collected for a webhook where
// emailalertgroup says nothing: when a rack dies, that is one request.
const hookPause = 500 * time.Millisecond

// How many events may wait for the command, of which each takes a process, and
// how many full deliveries for the webhook.
const (
	commandsWaiting   = 20_000
	deliveriesWaiting = 20
)

// hookTimeout is how long a webhook may take to answer.
const hookTimeout = 10 * time.Second

// hooks tell a command and a web server about events. The methods do not block,
// except close.
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
	timer   *time.Timer // nil unless something is being collected
	lost    int         // deliveries, since one that was taken
	untold  int         // events that the command was not told of, since one that it was
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

// use takes over what cfg says.
func (h *hooks) use(cfg *conf.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.webhook != cfg.Webhook {
		h.post() // to where it happened
	}
	h.command, h.webhook, h.collect = cfg.NotifyCommand, cfg.Webhook, max(cfg.EmailAlertGroup, hookPause)
}

// event tells of an event.
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

// run runs the command for one event. That events are too many is said once,
// until there is room again. h.mu is held.
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

// gather adds to what the webhook is sent next. A delivery that is full is sent
// at once, unless many wait already: then the rest is counted. h.mu is held.
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

// lane is that of the webhook. h.mu is held.
func (h *hooks) lane() string { return "webhook " + h.webhook.Reveal() }

// post sends what was collected. h.mu is held.
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

// deliver posts text, with some patience. That it fails is said once until it
// works.
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

// send posts text once. again says whether it could help to repeat that.
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
			err = u.Err // without the URL, in which a secret may stand
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

// hostOf is what of a webhook's URL may be said: its path and query are often
// a secret.
func hostOf(to secret.URL) string {
	u, err := url.Parse(to.Reveal())
	if err != nil {
		return "webhook"
	}
	return u.Host
}

// end sends what was collected and takes nothing more.
func (h *hooks) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.post()
	h.closed = true
}
