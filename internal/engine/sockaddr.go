package engine

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// A sockaddr is an address and a port as the kernel has them: a struct
// sockaddr_in (ip(7)) or sockaddr_in6 (ipv6(7)).
type sockaddr struct {
	bytes [syscall.SizeofSockaddrInet6]byte
	size  uint8
}

// newSockaddr returns addr as the kernel wants it.
func newSockaddr(addr netip.AddrPort) (sa sockaddr, err error) {
	ip := addr.Addr().Unmap()
	binary.BigEndian.PutUint16(sa.bytes[2:], addr.Port())
	switch {
	case ip.Is4():
		sa.setFamily(syscall.AF_INET, syscall.SizeofSockaddrInet4)
		four := ip.As4()
		copy(sa.bytes[4:], four[:])
	case ip.Is6():
		sa.setFamily(syscall.AF_INET6, syscall.SizeofSockaddrInet6)
		sixteen := ip.As16()
		copy(sa.bytes[8:], sixteen[:])
		var zone uint32
		zone, err = zoneID(ip.Zone())
		binary.NativeEndian.PutUint32(sa.bytes[24:], zone)
	default:
		err = fmt.Errorf("no address")
	}
	return sa, err
}

func (sa *sockaddr) setFamily(family uint16, size uint8) {
	binary.NativeEndian.PutUint16(sa.bytes[:], family)
	sa.size = size
}

// family is AF_INET or AF_INET6.
func (sa *sockaddr) family() int { return int(binary.NativeEndian.Uint16(sa.bytes[:])) }

// addrPort is address and port, without a zone.
func (sa *sockaddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(sa.bytes[2:])
	if sa.family() == syscall.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(sa.bytes[4:])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(sa.bytes[8:])), port)
}

// zoneID is the number of the interface that an IPv6 zone names. It is looked
// up each time: an interface that comes back has another number.
func zoneID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if id, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(id), nil
	}
	link, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("no interface %s", zone)
	}
	return uint32(link.Index), nil
}
