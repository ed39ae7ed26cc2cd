package ipvs

import (
	"cmp"
	"encoding/binary"
	"iter"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The commands and attributes of include/uapi/linux/ip_vs.h in use.
const (
	cmdGetService     = 4
	cmdGetDestination = 8

	attrService     = 1
	attrDestination = 2

	serviceFamily    = 1
	serviceProtocol  = 2
	serviceAddress   = 3
	servicePort      = 4
	serviceMark      = 5
	serviceScheduler = 6
	serviceFlags     = 7
	serviceTimeout   = 8
	serviceNetmask   = 9
	servicePE        = 11

	destinationAddress    = 1
	destinationPort       = 2
	destinationForward    = 3
	destinationWeight     = 4
	destinationUpper      = 5
	destinationLower      = 6
	destinationActive     = 7
	destinationInactive   = 8
	destinationPersistent = 9
	destinationFamily     = 11

	forwardMask = 7 // IP_VS_CONN_F_FWD_MASK
)

// readEach calls use for all services with their destinations: one request for the
// services, then one for the destinations of each. moby/ipvs reads too, but it cuts
// weights to 16 bits and omits the persistence engine and the persistent
// connections.
func (s *socket) readEach(use func(*Entry)) error {
	var services []Entry
	err := s.dump(cmdGetService, attrService, nil, func(b []byte) {
		services = append(services, parseEntry(b))
	})
	if err != nil {
		return err
	}
	var room []Destination
	for _, e := range services {
		key := e.Service.Key
		e.Destinations = room[:0]
		err := s.dump(cmdGetDestination, attrDestination, []nl.NetlinkRequestData{keyAttr(key)}, func(b []byte) {
			e.Destinations = append(e.Destinations, parseDestination(b, key.IPv6))
		})
		if err != nil {
			return err
		}
		room = e.Destinations
		use(&e)
	}
	return nil
}

// dump requests a list and passes the attribute want of each message to each. The
// error is the kernel's answer, or its absence.
func (s *socket) dump(cmd uint8, want uint16, about []nl.NetlinkRequestData, each func([]byte)) error {
	return s.exchange(unix.NLM_F_DUMP, cmd, about, func(typ uint16, value []byte) {
		if typ == want {
			each(value)
		}
	})
}

// exchange sends a request whose flags make the kernel end its answer with a verdict, and
// passes each attribute of the answer to each. The error is the kernel's verdict, or its
// absence.
func (s *socket) exchange(flags int, cmd uint8, about []nl.NetlinkRequestData, each func(typ uint16, value []byte)) error {
	var refused error
	err := s.ask(s.append(nil, flags, cmd, about...), func(m message) bool {
		if m.seq != s.seq {
			return false
		}
		last, no := m.verdict()
		if last {
			refused = no
			return true
		}
		for typ, value := range attributes(m.body[min(nl.SizeofGenlmsg, len(m.body)):]) {
			each(typ, value)
		}
		return false
	})
	return cmp.Or(err, refused)
}

// keyAttr is the attribute that identifies a service.
func keyAttr(k Key) nl.NetlinkRequestData {
	a := nl.NewRtAttr(attrService, nil)
	a.AddRtAttr(serviceFamily, nl.Uint16Attr(family(k.IPv6)))
	if k.Mark != 0 {
		a.AddRtAttr(serviceMark, nl.Uint32Attr(k.Mark))
		return a
	}
	a.AddRtAttr(serviceProtocol, nl.Uint16Attr(uint16(k.Protocol)))
	a.AddRtAttr(serviceAddress, k.Addr.AsSlice())
	a.AddRtAttr(servicePort, nl.BEUint16Attr(k.Port))
	return a
}

func parseEntry(b []byte) Entry {
	e := Entry{Service: parseService(b)}
	for typ, v := range attributes(b) {
		if typ == serviceStats64 || typ == serviceStats && e.Stats == (Stats{}) {
			e.Stats = parseStats(v)
		}
	}
	return e
}

func parseService(b []byte) Service {
	var s Service
	var addr []byte
	var mask uint32
	for typ, v := range attributes(b) {
		switch typ {
		case serviceFamily:
			s.IPv6 = native16(v) == unix.AF_INET6
		case serviceProtocol:
			s.Protocol = Protocol(native16(v))
		case serviceAddress:
			addr = v
		case servicePort:
			s.Port = big16(v)
		case serviceMark:
			s.Mark = native32(v)
		case serviceScheduler:
			s.Scheduler = text(v)
		case serviceFlags:
			s.Flags = Flags(native32(v))
		case serviceTimeout:
			s.Timeout = native32(v)
		case serviceNetmask:
			mask = native32(v)
		case servicePE:
			s.PE = text(v)
		}
	}
	if s.Mark == 0 {
		s.Addr = parseAddr(addr, s.IPv6)
	}
	s.Netmask = readNetmask(mask, s.IPv6)
	return s
}

// parseDestination uses the service's family for a destination without its own, as
// in kernels before 3.18.
func parseDestination(b []byte, ipv6 bool) Destination {
	var d Destination
	var addr []byte
	var port uint16
	for typ, v := range attributes(b) {
		switch typ {
		case destinationAddress:
			addr = v
		case destinationPort:
			port = big16(v)
		case destinationForward:
			d.Forward = Forward(native32(v) & forwardMask)
		case destinationWeight:
			d.Weight = int(int32(native32(v)))
		case destinationUpper:
			d.Upper = native32(v)
		case destinationLower:
			d.Lower = native32(v)
		case destinationActive:
			d.Active = native32(v)
		case destinationInactive:
			d.Inactive = native32(v)
		case destinationPersistent:
			d.Persistent = native32(v)
		case destinationFamily:
			ipv6 = native16(v) == unix.AF_INET6
		case destinationStats:
			if d.Stats == (Stats{}) {
				d.Stats = parseStats(v)
			}
		case destinationStats64:
			d.Stats = parseStats(v)
		}
	}
	d.AddrPort = netip.AddrPortFrom(parseAddr(addr, ipv6), port)
	return d
}

// attributes iterates over netlink attributes, up to the first incomplete one.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.SizeofNlAttr {
			n := int(native16(b))
			if n < unix.SizeofNlAttr || n > len(b) {
				return
			}
			typ := native16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
			if !yield(typ, b[unix.SizeofNlAttr:n]) {
				return
			}
			b = b[min(len(b), (n+3)&^3):]
		}
	}
}

// parseAddr takes the first 4 of the 16 bytes that the kernel sends for IPv4.
func parseAddr(b []byte, ipv6 bool) netip.Addr {
	size := 4
	if ipv6 {
		size = 16
	}
	a, _ := netip.AddrFromSlice(b[:min(size, len(b))])
	return a
}

// The readers of one value return 0 for too short a value.

func native16(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return binary.NativeEndian.Uint16(b)
}

func big16(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

func native32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}

func native64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.NativeEndian.Uint64(b)
}

func text(b []byte) string { return unix.ByteSliceToString(b) }
