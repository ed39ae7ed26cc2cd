package conf

import (
	"net/netip"
	"regexp"
	"strconv"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// String is the word of the protocol directive.
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case FWM:
		return "fwm"
	}
	return "protocol " + strconv.Itoa(int(p))
}

// String is the word of a real or fallback line.
func (f Forward) String() string {
	switch f {
	case Gate:
		return "gate"
	case Masq:
		return "masq"
	case IPIP:
		return "ipip"
	}
	return "forwarding method " + strconv.Itoa(int(f))
}

// String is the word of the checktype directive, "combined" for a number.
func (c CheckType) String() string {
	switch c {
	case CheckNegotiate:
		return "negotiate"
	case CheckConnect:
		return "connect"
	case CheckCombined:
		return "combined"
	case CheckPing:
		return "ping"
	case CheckExternal:
		return "external"
	case CheckExternalPerl:
		return "external-perl"
	case CheckOn:
		return "on"
	case CheckOff:
		return "off"
	case CheckAgent:
		return "agent"
	}
	return "checktype " + strconv.Itoa(int(c))
}

// String is the virtual service in the notation of log lines: "10.0.0.1:80",
// "[fd00::1]:80", or the firewall mark.
func (v *VirtualService) String() string {
	if v.Protocol == FWM {
		return strconv.FormatUint(uint64(v.Mark), 10)
	}
	return netip.AddrPortFrom(v.Addr, v.Port).String()
}

// ID is the virtual service with its protocol, unique in a Config:
// "tcp:10.0.0.1:80", "udp:[fd00::1]:53", "fwm:8", "fwm6:8".
func (v *VirtualService) ID() string {
	if v.Protocol == FWM && v.IPv6 {
		return "fwm6:" + v.String()
	}
	return v.Protocol.String() + ":" + v.String()
}

// PortToCheck is the port of r's checks: checkport, else the real server's own,
// else the default of the service, else the virtual service's.
func (v *VirtualService) PortToCheck(r *RealServer) uint16 {
	if v.CheckPort != 0 {
		return v.CheckPort
	}
	if r.Port != 0 {
		return r.Port
	}
	if port := portOfService(v.Service); port != 0 {
		return port
	}
	return v.Port
}

// AddrPort is the real server's address and port as configured.
func (r *RealServer) AddrPort() netip.AddrPort { return netip.AddrPortFrom(r.Addr, r.Port) }

// String is the real server in the notation of log lines: "10.1.0.1:80". A real
// server without a port has port 0.
func (r *RealServer) String() string { return r.AddrPort().String() }

var wholeURL = regexp.MustCompile(`^/([A-Za-z][A-Za-z0-9+.-]*://.*)$`)

// RequestURL is r's own request if it is a URL, else "". As in the original a URL
// in a real= line is fetched from its own host, while the request of a virtual
// service is always a path of the real server.
func (r *RealServer) RequestURL() secret.Request {
	if !r.OwnRequest {
		return ""
	}
	if m := wholeURL.FindStringSubmatch(r.Request.Reveal()); m != nil {
		return secret.Request(m[1])
	}
	return ""
}

// AddrPort is the fallback's address and port.
func (f *Fallback) AddrPort() netip.AddrPort { return netip.AddrPortFrom(f.Addr, f.Port) }

// String is the fallback in the notation of log lines: "127.0.0.1:80".
func (f *Fallback) String() string { return f.AddrPort().String() }
