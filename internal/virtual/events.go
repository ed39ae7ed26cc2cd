package virtual

import (
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
)

// Removed is the event of a destination that was deleted: a dead real server,
// the fallback, or an entry that has left the file.
func Removed(v *Service, s table.Step) event.Event {
	switch {
	case s.Old.Role == table.Real:
		return RealEvent(event.RealDeleted, v.RealOf(s.Old), s)
	case s.Old.Role == table.Fallback:
		return v.FallbackEvent(event.FallbackDeleted, s)
	default:
		return event.Event{Kind: event.RealPurged, R: s.Destination.AddrPort.String(), Phase: "start"}
	}
}

// RealEvent returns the event of a step for a real server.
func RealEvent(k event.Kind, r *Real, s table.Step) event.Event {
	e := event.Event{Kind: k, Real: r.Conf, R: r.Name(), Weight: s.Destination.Weight}
	if s.Destination.AddrPort != r.Conf.AddrPort() {
		e.Mapped = s.Destination.AddrPort.String()
	}
	return e
}

// FallbackEvent returns the event of a step for the fallback.
func (v *Service) FallbackEvent(k event.Kind, s table.Step) event.Event {
	e := event.Event{Kind: k, R: s.Destination.AddrPort.String(), Weight: s.Destination.Weight}
	if f := v.Conf.Fallback; f != nil {
		if name := netip.AddrPortFrom(f.Addr, f.Port).String(); name != e.R {
			e.R, e.Mapped = name, e.R
		}
	}
	return e
}

// FallbackName returns the fallback as configured, "" for none.
func (v *Service) FallbackName() string {
	if f := v.Conf.Fallback; f != nil {
		return netip.AddrPortFrom(f.Addr, f.Port).String()
	}
	return ""
}

// AndOut is a reason with what keeps r out of service whatever its verdict is, if
// there is something.
func AndOut(reason string, r *Real) string {
	var words string
	switch r.decide().Reason {
	case policy.DrainedByOrder, policy.DisabledByOrder:
		words = "out of service by order: " + r.Override.String()
	case policy.AwaitsEnable:
		words = "out of service: it " + waitWords(r)
	case policy.DrainedByItself:
		words = "out of service: " + r.SelfDrain().words()
	default:
		return reason
	}
	if reason != "" {
		reason += "; "
	}
	return reason + words
}
