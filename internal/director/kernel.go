package director

import (
	"net/netip"

	"ldirectord/conf"
	"ldirectord/ipvs"
)

// service is the kernel's service for a virtual service. The error says why
// no kernel would take it.
func service(v *conf.VirtualService) (ipvs.Service, error) {
	s := ipvs.Service{Key: key(v), Scheduler: v.Scheduler}
	if v.OPS {
		s.Flags |= ipvs.FlagOnePacket
	}
	if v.SchedFlags != "" {
		flags, err := ipvs.ParseSchedFlags(v.Scheduler, v.SchedFlags)
		if err != nil {
			return s, err
		}
		s.Flags |= flags
	}
	if !v.Persist {
		return s, nil
	}
	s.Flags |= ipvs.FlagPersistent
	var err error
	if s.Timeout, err = ipvs.ParseTimeout(v.Persistent); err != nil {
		return s, err
	}
	if v.Netmask != "" {
		if s.Netmask, err = ipvs.ParseNetmask(v.Netmask, v.IPv6); err != nil {
			return s, err
		}
	}
	return s, nil
}

func key(v *conf.VirtualService) ipvs.Key {
	k := ipvs.Key{Addr: v.Addr, Port: v.Port, Mark: v.Mark, IPv6: v.IPv6}
	switch v.Protocol {
	case conf.TCP:
		k.Protocol = ipvs.TCP
	case conf.UDP:
		k.Protocol = ipvs.UDP
	case conf.FWM:
	}
	return k
}

// forward is the kernel's forwarding method.
func forward(f conf.Forward) ipvs.Forward {
	switch f {
	case conf.Gate:
		return ipvs.Route
	case conf.IPIP:
		return ipvs.Tunnel
	default:
		return ipvs.Masq
	}
}

// destination is where the kernel knows a real server or fallback. With gate
// and ipip packets are not rewritten, so that the port is always the virtual
// service's; the configured one is only asked. As ipvsadm does.
func destination(v *conf.VirtualService, addr netip.Addr, port uint16, f conf.Forward) netip.AddrPort {
	if v.Protocol != conf.FWM && f != conf.Masq {
		port = v.Port
	}
	return netip.AddrPortFrom(addr, port)
}
