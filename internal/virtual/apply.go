package virtual

import (
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/table"
)

// removed is the event of a destination that was deleted: a dead real server,
// the fallback, or what is in the file no more.
func Removed(v *Service, s table.Step) event.Event {
	switch {
	case s.Old.Role == table.Real:
		return RealEvent(event.RealDeleted, v.RealOf(s.Old), s)
	case s.Old.Role == table.Fallback:
		return v.FallbackEvent(event.FallbackDeleted, s)
	default:
		return event.Event{Kind: event.RealPurged, R: Show(s.Destination.AddrPort), Phase: "start"}
	}
}

func RealEvent(k event.Kind, r *Real, s table.Step) event.Event {
	e := event.Event{Kind: k, Real: r.Conf, R: r.Name(), Weight: s.Destination.Weight}
	if s.Destination.AddrPort != r.Conf.AddrPort() {
		e.Mapped = Show(s.Destination.AddrPort)
	}
	return e
}

func (v *Service) FallbackEvent(k event.Kind, s table.Step) event.Event {
	e := event.Event{Kind: k, R: Show(s.Destination.AddrPort), Weight: s.Destination.Weight}
	if f := v.Conf.Fallback; f != nil {
		if name := Show(netip.AddrPortFrom(f.Addr, f.Port)); name != e.R {
			e.R, e.Mapped = name, e.R
		}
	}
	return e
}

// show is an address and port as the logs have it, port 0 included.
func Show(a netip.AddrPort) string { return a.String() }

func Refusal(what string) string { return "refused " + what }

func (v *Service) FallbackName() string {
	if f := v.Conf.Fallback; f != nil {
		return Show(netip.AddrPortFrom(f.Addr, f.Port))
	}
	return ""
}
