package notify

import (
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// TestSelfDrainIsNoAlarm has the events of a real server that drains itself, goes down and comes
// back: programs get them, people no mail and no alert.
func TestSelfDrainIsNoAlarm(t *testing.T) {
	real := &conf.RealServer{}
	for _, k := range []event.Kind{event.RealQuiesced, event.RealDeleted, event.RealAdded, event.RealRestored} {
		if subject := subjectOf(event.Event{Kind: k, Real: real, Expected: true}); subject != "" {
			t.Errorf("%v: a mail %q", k, subject)
		}
		if subjectOf(event.Event{Kind: k, Real: real}) == "" {
			t.Errorf("%v: no mail without a self-drain", k)
		}
	}
	f := firing{}
	for _, k := range []event.Kind{event.SelfDrained, event.DrainedDown, event.SelfDrainOver} {
		if !reported[k] {
			t.Errorf("%v is not reported to programs", k)
		}
		if a := f.alert(event.Event{Kind: k, Virtual: &conf.VirtualService{}, Real: real}, "director"); a != nil {
			t.Errorf("%v: an alert %v", k, a.Labels)
		}
	}
}
