package notify

import (
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// reasonPatience is how long a mail waits for its reason.
const reasonPatience = time.Second

// A held mail says that a real server was taken out. Why follows at once in an
// event of its own, when the kernel has done it (director.Gone); a mail that
// says both is worth that moment.
type held struct {
	virtual *conf.VirtualService
	alert   alert
	timer   *time.Timer
}

// waitsForReason says whether a mail about the event is held.
func waitsForReason(e event.Event) bool {
	return e.Real != nil && (e.Kind == event.RealDeleted || e.Kind == event.RealQuiesced)
}

// hold keeps a until its reason comes, or it is clear that none does. n.mu is
// held.
func (n *Notifier) hold(key absentee, v *conf.VirtualService, a alert) {
	n.release(key, "") // of an earlier one
	h := &held{virtual: v, alert: a}
	h.timer = time.AfterFunc(reasonPatience, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.held[key] == h {
			n.release(key, "")
		}
	})
	n.held[key] = h
}

// release sends the mail that is held for a real server, if there is one. n.mu
// is held.
func (n *Notifier) release(key absentee, reason string) {
	h := n.held[key]
	if h == nil {
		return
	}
	delete(n.held, key)
	h.timer.Stop()
	h.alert.reason = reason
	n.mail(h.virtual, h.alert)
}

// releaseAll sends all mails that are held. n.mu is held.
func (n *Notifier) releaseAll() {
	for key := range n.held {
		n.release(key, "")
	}
}
