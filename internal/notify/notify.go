// Package notify sends events to people and programs: mails (one each or grouped,
// with reminders) and fallback commands. All of it runs on goroutines of its own
// behind bounded queues; the reporter of an event never waits.
package notify

import (
	"cmp"
	"os"
	"os/user"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// closeTimeout is the time that Close grants at least to fallback and quorum commands, and to all else.
const closeTimeout = 3 * time.Second

// mostListed limits the events in a grouped mail; the others are counted.
const mostListed = 500

// Options are a Notifier's connections to its daemon.
type Options struct {
	Log      func(format string, args ...any) // lines of ldirectord.log
	SMTPPort int                              // 0 is 25
	Sendmail string                           // path of the local mailer, "" is the usual one
	// Here reports whether an address of a virtual service is on this host, for notify = active; nil
	// is always. It must not block.
	Here func(*conf.VirtualService) bool
}

// A Notifier turns events into mails and commands. Its methods do not block,
// except Close, and may be called from any goroutine.
type Notifier struct {
	log    func(format string, args ...any)
	host   string
	sender string
	outbox *outbox
	hooks  *hooks
	shell  *lanes // fallback and quorum commands, for each virtual service a lane of its own

	standby standby

	mu       sync.Mutex
	collect  time.Duration             // emailalertgroup
	groups   map[route]*group          // mails that are being collected
	absences map[absentee]*absence     // real servers that are down
	pending  map[absentee]*pendingMail // mails that wait for their reason
	closed   bool
}

// A group is a mail whose events are still being collected.
type group struct {
	alerts  []alert
	omitted int
	timer   *time.Timer
}

// New returns a Notifier for a daemon with this configuration.
func New(o Options, cfg *conf.Config) *Notifier {
	host := conf.Hostname()
	if o.SMTPPort == 0 {
		o.SMTPPort = smtpPort
	}
	shell := newLanes(laneLength)
	shell.shares = true
	m := mailer{host: host, port: o.SMTPPort, sendmail: o.Sendmail}
	n := &Notifier{
		log: o.Log, host: host, sender: userName() + "@" + host, standby: standby{log: o.Log, here: o.Here},
		outbox: newOutbox(m.send, o.Log), hooks: newHooks(host, o.Log, cfg), shell: shell,
		collect: cfg.EmailAlertGroup, groups: map[route]*group{}, absences: map[absentee]*absence{}, pending: map[absentee]*pendingMail{},
	}
	n.standby.use(cfg)
	return n
}

func userName() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	u, err := user.Current()
	if err != nil {
		return "root"
	}
	return u.Username
}

// Event mails the event and runs its command, as configured. It is part of a
// director's Sink.
func (n *Notifier) Event(e event.Event) {
	if e.Virtual == nil {
		return
	}
	if subject := subjectOf(e); subject != "" {
		n.alert(e, subject, e.Status)
	}
	n.trackAbsence(e)
	n.hooks.event(e, reported[e.Kind] && n.standby.leaves(e.Virtual))
	line := commandLine(e)
	if line.command != "" && !n.shell.do(e.ID, n.run(line)) {
		n.log(lineCommandFailed, line, errTooManyCommands)
	}
	lane := "quorum of " + e.ID
	if line := quorumLine(e); line.command != "" && !n.shell.do(lane, n.runQuorum(lane, line)) {
		n.log(lineCommandFailed, line, errTooManyCommands)
	}
}

// alert mails subject if the service wants mail in this state of the daemon.
func (n *Notifier) alert(e event.Event, subject string, status conf.Status) {
	v := e.Virtual
	if v.EmailAlert == "" || v.EmailAlertStatus&status == 0 || n.standby.leaves(v) {
		return
	}
	n.log(lineMailed, subject)
	a := alert{subject: subject, status: status, reason: e.Reason, name: v.ServiceName, comment: v.Comment}
	n.mu.Lock()
	defer n.mu.Unlock()
	if waitsForReason(e) && !n.closed {
		n.postpone(absenteeOf(v, e.Real), v, a)
		return
	}
	n.mail(v, a)
}

// mail sends a, alone or as part of a group. n.mu is held.
func (n *Notifier) mail(v *conf.VirtualService, a alert) {
	r := route{server: v.SMTP, sender: n.sender, from: cmp.Or(v.EmailAlertFrom, n.sender), to: v.EmailAlert}
	if n.groups[r] == nil && !n.collects(r) {
		n.outbox.post(compose(r, n.host, []alert{a}, 0))
		return
	}
	n.gather(r, a)
}

// crowdPause is the minimum time for which mails are collected when too many of
// them wait, also without emailalertgroup: ten thousand mails are of no use, and
// most of them would never be sent.
const crowdPause = 10 * time.Second

// collects reports whether mails of route r are collected. n.mu is held.
func (n *Notifier) collects(r route) bool {
	return n.collect > 0 && !n.closed || n.outbox.crowded(r.server)
}

// gather adds a to the open mail for r. n.mu is held.
func (n *Notifier) gather(r route, a alert) {
	g := n.groups[r]
	if g == nil {
		g = &group{}
		pause := cmp.Or(max(n.collect, 0), crowdPause)
		g.timer = time.AfterFunc(pause, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			switch {
			case n.groups[r] != g:
			case n.outbox.crowded(r.server):
				g.timer.Reset(pause)
			default:
				n.postGroup(r)
			}
		})
		n.groups[r] = g
	}
	if len(g.alerts) >= mostListed {
		g.omitted++
		return
	}
	g.alerts = append(g.alerts, a)
}

// postGroup sends the collected mails of route r. n.mu is held.
func (n *Notifier) postGroup(r route) {
	g := n.groups[r]
	delete(n.groups, r)
	g.timer.Stop()
	n.outbox.post(compose(r, n.host, g.alerts, g.omitted))
}

// Use applies the configuration cfg: the grouping of mails, and the reminders with
// their real servers, intervals and recipients.
func (n *Notifier) Use(cfg *conf.Config) {
	n.hooks.use(cfg)
	n.standby.use(cfg)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.collect = cfg.EmailAlertGroup
	if n.collect <= 0 {
		n.postAll()
	}
	n.adopt(cfg)
}

// postAll sends all collected mails. n.mu is held.
func (n *Notifier) postAll() {
	for r := range n.groups {
		n.postGroup(r)
	}
}

// Close sends the collected mails and lets mails and commands end, for 3 s at most, but
// fallback and quorum commands until the deadline if that is later. The others are killed then.
func (n *Notifier) Close(commands time.Time) {
	n.mu.Lock()
	n.closed = true
	n.releaseAll()
	n.postAll()
	n.forget()
	n.mu.Unlock()
	n.hooks.end()
	var wg sync.WaitGroup
	for _, q := range n.queues() {
		timeout := closeTimeout
		if q.lanes == n.shell {
			timeout = max(timeout, time.Until(commands))
		}
		wg.Go(func() {
			if left := q.lanes.close(timeout); left > 0 {
				n.log(lineLeft, left, q.name)
			}
		})
	}
	wg.Wait()
	n.hooks.web.http.CloseIdleConnections()
}
