package ipvs

import (
	"fmt"
	"strings"
)

// Listed is the service in the notation of "ipvsadm -L -n": "TCP 10.0.0.1:80 wrr
// persistent 600".
func (s Service) Listed() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", s.Key.Listed(), s.Scheduler)
	if names := schedFlagNames(s.Scheduler, s.Flags); names != "" {
		b.WriteString(" (" + names + ")")
	}
	if s.Flags&FlagPersistent != 0 {
		fmt.Fprintf(&b, " persistent %d", s.Timeout)
		if mask := s.Netmask.word(s.IPv6); mask != "" {
			b.WriteString(" mask " + mask)
		}
	}
	if s.PE != "" {
		b.WriteString(" pe " + s.PE)
	}
	if s.Flags&FlagOnePacket != 0 {
		b.WriteString(" ops")
	}
	return b.String()
}

// Listed is the key in the notation of "ipvsadm -L -n": "TCP 10.0.0.1:80", "FWM 8".
func (k Key) Listed() string {
	switch {
	case k.Mark != 0 && k.IPv6:
		return fmt.Sprintf("FWM  %d IPv6", k.Mark)
	case k.Mark != 0:
		return fmt.Sprintf("FWM  %d", k.Mark)
	}
	words := strings.SplitN(k.String(), " ", 2)
	return fmt.Sprintf("%-4s %s", protocolNames[k.Protocol], words[len(words)-1])
}

var protocolNames = map[Protocol]string{TCP: "TCP", UDP: "UDP", SCTP: "SCTP"}

// Listed is the forwarding method in the notation of "ipvsadm -L".
func (f Forward) Listed() string {
	switch f {
	case Masq:
		return "Masq"
	case Local:
		return "Local"
	case Tunnel:
		return "Tunnel"
	case Route:
		return "Route"
	case Bypass:
		return "Bypass"
	}
	return "?"
}
