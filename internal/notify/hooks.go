package notify

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
)

// reported are the kinds of events for notifycommand and webhook: those that may need
// an operator, not every step of the kernel.
var reported = map[event.Kind]bool{
	event.Gone: true, event.Back: true, event.AllGone: true, event.AnyBack: true, event.Ordered: true,
	event.Refused: true, event.Repaired: true, event.Differs: true, event.Expiring: true, event.Kept: true, event.NotAsked: true,
	event.Started: true, event.StillGone: true, event.Damped: true, event.DampingOver: true, event.Waiting: true,
	event.QuorumLost: true, event.QuorumRegained: true, event.BackupNeeded: true, event.BackupIdle: true,
	event.SelfDrained: true, event.SelfDrainOver: true, event.DrainedDown: true,
}

// The number of events that may wait for the command, each of which takes a
// process, and of full deliveries for the webhook.
const (
	commandsWaiting   = 20_000
	deliveriesWaiting = 20
)

// hooks send events to a command and a web server. The methods do not block, except
// close.
type hooks struct {
	log   func(format string, args ...any)
	host  string
	lanes *lanes // one for commands, one for each webhook
	web   *webhook

	mu         sync.Mutex
	command    shellLine
	unreported int // events lost for the command since the last one queued
	closed     bool
}

func newHooks(host string, log func(string, ...any), cfg *conf.Config) *hooks {
	lanes := newLanes(commandsWaiting)
	h := &hooks{log: log, host: host, lanes: lanes, web: newWebhook(host, log, lanes)}
	h.use(cfg)
	return h
}

// use applies the configuration.
func (h *hooks) use(cfg *conf.Config) {
	h.web.use(cfg)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.command = shellLine{command: cfg.NotifyCommand, user: cfg.CheckUser}
}

// event delivers an event, whose virtual service is known, unless it is left to another director. An
// Alertmanager gets it all the same: it makes one of equal alerts, and has to learn when they end.
func (h *hooks) event(e event.Event, left bool) {
	h.web.event(e, left)
	if !reported[e.Kind] || left {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.command.command != "" && !h.closed {
		h.run(h.command, report.MessageOf(e, h.host))
	}
}

// run runs the command for one event. A full queue is logged once, until it has
// room again. h.mu is held.
func (h *hooks) run(line shellLine, m report.Message) {
	text, err := json.Marshal(m)
	if err == nil && !h.lanes.do("command", func(ctx context.Context) { h.runCommand(ctx, line, append(text, '\n')) }) {
		err = errTooManyCommands
	}
	switch {
	case err != nil:
		if h.unreported == 0 {
			h.log(lineCommandFailed, line, err)
		}
		h.unreported++
	case h.unreported > 0:
		h.log(lineCommandWorks, h.unreported)
		h.unreported = 0
	}
}

func (h *hooks) runCommand(ctx context.Context, line shellLine, text []byte) {
	if err := runCommand(ctx, command.Command{Shell: line.reveal(), Stdin: text, As: line.user}); err != nil {
		h.log(lineCommandFailed, line, err)
	}
}

// end sends the collected events and stops.
func (h *hooks) end() {
	h.web.end()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
