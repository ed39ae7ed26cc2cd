package table

import (
	"net/netip"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/ipvs"
)

// ServiceOf returns the kernel's service for a virtual service, with all settings that a
// kernel may take. The error names the one that no kernel takes: then a present service
// keeps its settings, and none is added.
func ServiceOf(v *conf.VirtualService) (ipvs.Service, error) {
	s := ipvs.Service{Key: KeyOf(v), Scheduler: v.Scheduler}
	if v.OPS {
		s.Flags |= ipvs.FlagOnePacket
	}
	for _, set := range settings {
		if err := set.set(&s, v); err != nil {
			return s, err
		}
	}
	return s, nil
}

// settings are the settings of a service that ipvsadm judges by itself, by
// directive. What ipvsadm refuses to send is refused here in its place.
var settings = []struct {
	directive string
	set       func(*ipvs.Service, *conf.VirtualService) error
}{
	{"schedflags", func(s *ipvs.Service, v *conf.VirtualService) error {
		flags, err := ipvs.ParseSchedFlags(v.Scheduler, v.SchedFlags)
		s.Flags |= flags
		return err
	}},
	{"persistent", func(s *ipvs.Service, v *conf.VirtualService) (err error) {
		if v.Persist {
			s.Flags |= ipvs.FlagPersistent
			s.Timeout, err = ipvs.ParseTimeout(v.Persistent)
		}
		return err
	}},
	{"netmask", func(s *ipvs.Service, v *conf.VirtualService) (err error) {
		if v.Persist {
			s.Netmask, err = ipvs.ParseNetmask(v.Netmask, v.IPv6)
		}
		return err
	}},
}

// Refusals returns what the kernel would refuse of a virtual service, as far as that
// is known without a kernel.
func Refusals(v *conf.VirtualService) []conf.Refusal {
	var found []conf.Refusal
	s := ipvs.Service{Key: KeyOf(v), Scheduler: v.Scheduler}
	for _, set := range settings {
		if err := set.set(&s, v); err != nil {
			found = append(found, conf.Refusal{Directive: set.directive, Text: set.directive + ": " + err.Error()})
		}
	}
	if !ipvs.KnownScheduler(v.Scheduler) {
		found = append(found, conf.Refusal{Directive: "scheduler", Text: "scheduler: Linux has none of the name " + v.Scheduler})
	}
	if len(found) == 0 {
		if err := (ipvs.Change{Op: ipvs.AddService, Service: s}).Check(); err != nil {
			found = append(found, conf.Refusal{Text: "the virtual service: " + err.Error()})
		}
	}
	refuse := func(file string, line int, what string, d ipvs.Destination) {
		if err := (ipvs.Change{Op: ipvs.AddDestination, Service: ipvs.Service{Key: s.Key}, Destination: d}).Check(); err != nil {
			found = append(found, conf.Refusal{File: file, Line: line, Text: what + ": " + err.Error()})
		}
	}
	if v.Protocol == conf.FWM && v.Mark == 0 {
		return found // nothing can be in it
	}
	for _, r := range v.Reals {
		refuse(v.File, r.Line, "real server "+r.String(), ipvs.Destination{
			AddrPort: AddrOf(v, r.Addr, r.Port, r.Forward), Forward: ForwardOf(r.Forward), Weight: r.Weight, Upper: r.Upper, Lower: r.Lower,
		})
	}
	if f := v.Fallback; f != nil {
		refuse(f.File, f.Line, "the fallback", ipvs.Destination{AddrPort: AddrOf(v, f.Addr, f.Port, f.Forward), Forward: ForwardOf(f.Forward), Weight: 1})
	}
	return found
}

// KeyOf returns the key of the kernel's service.
func KeyOf(v *conf.VirtualService) ipvs.Key {
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

// ForwardOf returns the kernel's forwarding method.
func ForwardOf(f conf.Forward) ipvs.Forward {
	switch f {
	case conf.Gate:
		return ipvs.Route
	case conf.IPIP:
		return ipvs.Tunnel
	default:
		return ipvs.Masq
	}
}

// AddrOf returns the address of a real server or fallback in the kernel's table. gate and
// ipip do not rewrite packets, so that the port is the virtual service's; the configured one
// is for checks only. As in ipvsadm.
func AddrOf(v *conf.VirtualService, addr netip.Addr, port uint16, f conf.Forward) netip.AddrPort {
	if v.Protocol != conf.FWM && f != conf.Masq {
		port = v.Port
	}
	return netip.AddrPortFrom(addr, port)
}
