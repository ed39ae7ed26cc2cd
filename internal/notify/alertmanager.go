package notify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// The times of alerts: between two deliveries of one that goes on, until it ends in an
// Alertmanager that gets no more of them, and until an event without an end does. A
// certificate is reported daily.
const (
	alertResend      = time.Minute
	alertLife        = 4 * alertResend
	momentLife       = time.Hour
	certificateLife  = 25 * time.Hour
	alertRealDown    = "LdirectordRealServerDown"
	alertNoReal      = "LdirectordNoRealServer"
	alertNoQuorum    = "LdirectordQuorumLost"
	severityCritical = "critical"
	severityWarning  = "warning"
)

// momentAlerts are the alerts for events that have no end of their own.
var momentAlerts = map[event.Kind]string{
	event.Refused: "LdirectordKernelRefuses", event.Repaired: "LdirectordSomebodyElse", event.Differs: "LdirectordSomebodyElse",
	event.Expiring: "LdirectordCertificateEnds", event.Kept: "LdirectordMinAlive", event.NotAsked: "LdirectordCheckImpossible",
}

// A postableAlert is an alert in Alertmanager's API, version 2.
type postableAlert struct {
	Labels      map[string]string `json:"labels"` // the alert's identity
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// A subject is what an alert that goes on is about. Without a real server it is the
// virtual service.
type subject struct {
	absentee
	virtual bool
	quorum  bool
}

// firing are the alerts that have not ended. They are kept for any format of the webhook:
// a reload may change it.
type firing map[subject]*postableAlert

// alert is what an Alertmanager gets of an event, nil for nothing.
func (f firing) alert(e event.Event, host string) *postableAlert {
	switch e.Kind {
	case event.Gone, event.FirstDown, event.StillGone:
		if e.Real == nil {
			return nil
		}
		key := subject{absentee: absenteeOf(e.Virtual, e.Real)}
		if e.Cause != nil && e.Cause.Kind == event.CauseMaintenance {
			return f.end(key, e.Time)
		}
		return f.begin(key, e, alertOf(e, host, alertRealDown, severityWarning))
	case event.Back, event.FirstUp, event.Maintained:
		if e.Real == nil {
			return nil
		}
		return f.end(subject{absentee: absenteeOf(e.Virtual, e.Real)}, e.Time)
	case event.AllGone:
		return f.begin(subjectOfService(e.Virtual), e, alertOf(e, host, alertNoReal, severityCritical))
	case event.AnyBack:
		return f.end(subjectOfService(e.Virtual), e.Time)
	case event.QuorumLost:
		return f.begin(quorumOf(e.Virtual), e, alertOf(e, host, alertNoQuorum, severityCritical))
	case event.QuorumRegained, event.QuorumMet:
		return f.end(quorumOf(e.Virtual), e.Time)
	}
	name := momentAlerts[e.Kind]
	if name == "" {
		return nil
	}
	a := alertOf(e, host, name, severityWarning)
	a.EndsAt = e.Time.Add(momentLife)
	if e.Kind == event.Expiring {
		a.EndsAt = e.Time.Add(certificateLife)
	}
	return a
}

func subjectOfService(v *conf.VirtualService) subject {
	return subject{absentee: absentee{service: serviceOf(v)}, virtual: true}
}

func quorumOf(v *conf.VirtualService) subject {
	return subject{absentee: absentee{service: serviceOf(v)}, quorum: true}
}

// alertOf is the alert of an event, without its end.
func alertOf(e event.Event, host, name, severity string) *postableAlert {
	a := &postableAlert{
		Labels:      map[string]string{"alertname": name, "severity": severity, "instance": host, "virtual": e.ID},
		Annotations: map[string]string{"summary": validText(e.Words())},
		StartsAt:    e.Time,
	}
	set := func(m map[string]string, key, value string) {
		if value != "" {
			m[key] = validText(value)
		}
	}
	set(a.Labels, "real", e.R)
	if e.Kind == event.Expiring && e.Cause != nil { // several certificates of one real server are several alerts
		set(a.Labels, "check", e.Cause.Detail)
	}
	set(a.Annotations, "service", e.Virtual.ServiceName)
	set(a.Annotations, "comment", e.Virtual.Comment)
	return a
}

// validText is one line of UTF-8, as labels and annotations have to be.
func validText(text string) string { return strings.ToValidUTF8(safetext.Line(text), "\ufffd") }

// begin keeps an alert until its end. One that goes on keeps its beginning.
func (f firing) begin(key subject, e event.Event, a *postableAlert) *postableAlert {
	if old := f[key]; old != nil {
		a.StartsAt = old.StartsAt
	}
	f[key] = a
	return a.until(e.Time.Add(alertLife))
}

// end ends an alert. It returns nil for one that was not firing.
func (f firing) end(key subject, at time.Time) *postableAlert {
	a := f[key]
	if a == nil {
		return nil
	}
	delete(f, key)
	return a.until(at)
}

// until is the alert with an end, which is not before its beginning even if the clock
// was set back.
func (a *postableAlert) until(end time.Time) *postableAlert {
	ends := *a
	if ends.EndsAt = end; end.Before(a.StartsAt) {
		ends.EndsAt = a.StartsAt
	}
	return &ends
}

// retain ends the alerts about virtual services and real servers that cfg does not have.
// It returns them.
func (f firing) retain(cfg *conf.Config, now time.Time) []*postableAlert {
	if len(f) == 0 {
		return nil
	}
	has := map[subject]bool{}
	for _, v := range cfg.Virtuals {
		has[subjectOfService(v)] = true
		has[quorumOf(v)] = v.Quorum != conf.Portion{}
		for _, r := range v.Reals {
			has[subject{absentee: absenteeOf(v, r)}] = true
		}
	}
	var ended []*postableAlert
	for key := range f {
		if !has[key] {
			ended = append(ended, f.end(key, now))
		}
	}
	slices.SortFunc(ended, byLabels)
	return ended
}

// deliveries are all alerts, as they are sent again.
func (f firing) deliveries(now time.Time) []delivery {
	var list []delivery
	for part := range slices.Chunk(slices.SortedFunc(maps.Values(f), byLabels), mostListed) {
		var d delivery
		for _, a := range part {
			d.add(item{alert: a.until(now.Add(alertLife))})
		}
		list = append(list, d)
	}
	return list
}

func byLabels(a, b *postableAlert) int {
	if by := strings.Compare(a.Labels["virtual"], b.Labels["virtual"]); by != 0 {
		return by
	}
	return strings.Compare(a.Labels["real"], b.Labels["real"])
}
