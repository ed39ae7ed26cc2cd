package notify

import (
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// reasonPatience limits the time that a mail waits for its reason.
const reasonPatience = time.Second

// A pendingMail reports that a real server was taken out. The reason follows at once
// in another event, when the kernel has made the change (event.Gone); a mail with
// both is worth the wait.
type pendingMail struct {
	virtual *conf.VirtualService
	alert   alert
	timer   *time.Timer
}

// waitsForReason reports whether a mail about the event has to wait for its reason.
func waitsForReason(e event.Event) bool {
	return e.Real != nil && (e.Kind == event.RealDeleted || e.Kind == event.RealQuiesced)
}

// postpone keeps a until its reason comes, at most for reasonPatience. n.mu is held.
func (n *Notifier) postpone(key absentee, v *conf.VirtualService, a alert) {
	n.release(key, "") // of an earlier one
	h := &pendingMail{virtual: v, alert: a}
	h.timer = time.AfterFunc(reasonPatience, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.pending[key] == h {
			n.release(key, "")
		}
	})
	n.pending[key] = h
}

// release sends the mail that waits for the reason of a real server, if any. n.mu
// is held.
func (n *Notifier) release(key absentee, reason string) {
	h := n.pending[key]
	if h == nil {
		return
	}
	delete(n.pending, key)
	h.timer.Stop()
	h.alert.reason = reason
	n.mail(h.virtual, h.alert)
}

// releaseAll sends all waiting mails. n.mu is held.
func (n *Notifier) releaseAll() {
	for key := range n.pending {
		n.release(key, "")
	}
}
