package notify

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// An absentee identifies a real server of a virtual service across reloads.
type absentee struct {
	service
	real netip.AddrPort
}

// A service identifies a virtual service.
type service struct {
	protocol conf.Protocol
	addr     netip.AddrPort
	mark     uint32
	ipv6     bool
}

func serviceOf(v *conf.VirtualService) service {
	return service{protocol: v.Protocol, addr: netip.AddrPortFrom(v.Addr, v.Port), mark: v.Mark, ipv6: v.IPv6}
}

func absenteeOf(v *conf.VirtualService, r *conf.RealServer) absentee {
	return absentee{service: serviceOf(v), real: netip.AddrPortFrom(r.Addr, r.Port)}
}

// An absence is a real server after it went down, and the timer of its next reminder.
type absence struct {
	event event.Event // the event of its transition to down
	timer *time.Timer // nil without reminders
}

// trackAbsence records the real servers that are down.
func (n *Notifier) trackAbsence(e event.Event) {
	if e.Real == nil {
		return
	}
	key := absenteeOf(e.Virtual, e.Real)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e.Kind {
	case event.Gone, event.FirstDown:
		n.release(key, e.Reason)
		n.end(key)
		a := &absence{event: e}
		n.absences[key] = a
		n.remind(a)
	case event.Back, event.FirstUp, event.RealPurged:
		n.end(key)
	}
}

// remind sets the timer of a's next reminder, if its service has reminders. n.mu is
// held.
func (n *Notifier) remind(a *absence) {
	a.timer = nil
	v := a.event.Virtual
	if v.EmailAlert == "" || v.EmailAlertFreq <= 0 || n.closed {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(v.EmailAlertFreq, func() {
		n.mu.Lock()
		if a.timer != timer {
			n.mu.Unlock()
			return // it has just come back
		}
		n.remind(a)
		event := a.event
		n.mu.Unlock()
		n.alert(event, reminderOf(event), conf.Running)
	})
	a.timer = timer
}

// end removes an absence. n.mu is held.
func (n *Notifier) end(key absentee) {
	if a := n.absences[key]; a != nil {
		a.stop()
		delete(n.absences, key)
	}
}

func (a *absence) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// adopt applies a new configuration to reminders. n.mu is held.
func (n *Notifier) adopt(cfg *conf.Config) {
	services := map[absentee]*conf.VirtualService{}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			services[absenteeOf(v, r)] = v
		}
	}
	for key, a := range n.absences {
		v := services[key]
		if v == nil {
			n.end(key)
			continue
		}
		old := a.event.Virtual
		a.event.Virtual = v
		if old.EmailAlert != v.EmailAlert || old.EmailAlertFreq != v.EmailAlertFreq {
			a.stop()
			n.remind(a)
		}
	}
}

// forget removes all absences. n.mu is held.
func (n *Notifier) forget() {
	for key := range n.absences {
		n.end(key)
	}
}
