// Package neighbours tells the neighbours of a device that an address is on this host: by a gratuitous ARP
// request, or by an unsolicited neighbour advertisement.
package neighbours

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/mdlayher/ndp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// A Socket sends to the neighbours of any device of this network namespace. The zero Socket is ready; it
// stays open until Close, because closing one takes the kernel 15 ms. It is for one goroutine.
type Socket struct {
	fd   int
	open bool
}

// Announce announces an address of a device once: neighbours that have another owner in their cache learn
// the new one. A device without neighbours, such as a dummy, is left out.
func (s *Socket) Announce(dev *netlink.LinkAttrs, addr netip.Addr) error {
	if len(dev.HardwareAddr) != 6 || dev.RawFlags&(unix.IFF_LOOPBACK|unix.IFF_NOARP) != 0 {
		return nil
	}
	if addr.Is4() { // RFC 5227, section 3
		return s.send(dev, unix.ETH_P_ARP, broadcast, ARPRequest(dev.HardwareAddr, addr, addr))
	}
	group := netip.IPv6LinkLocalAllNodes()
	packet, err := ICMPv6(advertisement(dev.HardwareAddr, addr, forwards(dev.Name)), addr, group)
	if err != nil {
		return err
	}
	return s.send(dev, unix.ETH_P_IPV6, HardwareGroup(group), packet)
}

// Close closes the socket. It opens again at the next use.
func (s *Socket) Close() {
	if s.open {
		_ = unix.Close(s.fd)
		s.open = false
	}
}

func (s *Socket) send(dev *netlink.LinkAttrs, protocol uint16, to net.HardwareAddr, packet []byte) error {
	if !s.open {
		// Without a protocol the socket receives nothing.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("opening a socket for announcements: %w", err)
		}
		s.fd, s.open = fd, true
	}
	return unix.Sendto(s.fd, packet, 0, Destination(dev, protocol, to))
}

// advertisement tells a new owner of an address (RFC 4861, section 7.2.6), as the kernel does with
// ndisc_notify = 1. router is said as in the kernel's own answers: a host that hears that its router is
// none any more removes its routes.
func advertisement(mac net.HardwareAddr, addr netip.Addr, router bool) *ndp.NeighborAdvertisement {
	return &ndp.NeighborAdvertisement{
		Router: router, Override: true, TargetAddress: addr,
		Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: mac}},
	}
}

// forwards reports whether this host is a router at a device.
func forwards(dev string) bool {
	text, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + dev + "/forwarding")
	return err == nil && strings.TrimSpace(string(text)) != "0"
}

// Destination is where a packet socket sends a packet of a protocol to; nil is no one, for a bind.
func Destination(dev *netlink.LinkAttrs, protocol uint16, to net.HardwareAddr) *unix.SockaddrLinklayer {
	a := &unix.SockaddrLinklayer{Protocol: NetworkOrder(protocol), Ifindex: dev.Index, Halen: uint8(len(to))}
	copy(a.Addr[:], to)
	return a
}

// Broadcast is a destination of ARP packets, which all neighbours of a device receive.
func Broadcast(dev *netlink.LinkAttrs) *unix.SockaddrLinklayer {
	return Destination(dev, unix.ETH_P_ARP, broadcast)
}

// NetworkOrder is a number as a big-endian field of the kernel's wants it.
func NetworkOrder(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

// ARPRequest is a request for the owner of an address.
func ARPRequest(from net.HardwareAddr, sender, target netip.Addr) []byte {
	p := binary.BigEndian.AppendUint16(nil, 1) // Ethernet
	p = binary.BigEndian.AppendUint16(p, unix.ETH_P_IP)
	p = append(p, 6, 4)
	p = binary.BigEndian.AppendUint16(p, 1)
	p = append(append(p, from...), sender.AsSlice()...)
	p = append(p, make([]byte, 6)...)
	return append(p, target.AsSlice()...)
}

// ICMPv6 is a message of neighbour discovery to a group, with its IPv6 header.
func ICMPv6(m ndp.Message, from, group netip.Addr) ([]byte, error) {
	message, err := ndp.MarshalMessageChecksum(m, from, group)
	if err != nil {
		return nil, err
	}
	p := binary.BigEndian.AppendUint16([]byte{6 << 4, 0, 0, 0}, uint16(len(message)))
	p = append(p, unix.IPPROTO_ICMPV6, ndp.HopLimit)
	p = append(p, from.AsSlice()...)
	p = append(p, group.AsSlice()...)
	return append(p, message...), nil
}

// HardwareGroup is the hardware address of an IPv6 group (RFC 2464, section 7).
func HardwareGroup(group netip.Addr) net.HardwareAddr {
	last := group.As16()
	return append(net.HardwareAddr{0x33, 0x33}, last[12:]...)
}
