package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	arpRequest = 1
	arpLength  = 28
)

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// announce announces an address to the network with a gratuitous request (RFC 5227,
// section 3): neighbours with another owner in their cache learn the new one. Its socket
// stays open until hush: closing one takes the kernel 15 ms.
func (m *machine) announce(dev *netlink.LinkAttrs, addr netip.Addr) error {
	s, open := m.arp[dev.Index]
	if !open {
		var err error
		if s, err = openARP(dev); err != nil {
			return err
		}
		if m.arp == nil {
			m.arp = map[int]int{}
		}
		m.arp[dev.Index] = s
	}
	return sendARP(s, dev, arpPacket(dev.HardwareAddr, addr, addr))
}

// hush closes the sockets of announce.
func (m *machine) hush() {
	for _, s := range m.arp {
		_ = unix.Close(s)
	}
	m.arp = nil
}

// A probe4 probes by ARP.
type probe4 struct {
	dev    *netlink.LinkAttrs
	socket int
	claim  bool
}

func openProbe4(dev *netlink.LinkAttrs, claim bool) (*probe4, error) {
	if len(dev.HardwareAddr) != 6 {
		return nil, fmt.Errorf("no ARP on %s", dev.Name)
	}
	s, err := openARP(dev)
	if err != nil {
		return nil, err
	}
	return &probe4{dev, s, claim}, nil
}

func (p *probe4) close() { _ = unix.Close(p.socket) }

// ask implements prober with a probe of RFC 5227, whose sender has no address.
func (p *probe4) ask(addr netip.Addr) error {
	return sendARP(p.socket, p.dev, arpPacket(p.dev.HardwareAddr, netip.IPv4Unspecified(), addr))
}

// hear implements prober. Of two hosts that claim an address the one with the lower hardware address
// goes first.
func (p *probe4) hear(patience time.Duration, f func(addr netip.Addr, mac net.HardwareAddr)) error {
	return readARP(p.socket, patience, func(packet []byte) {
		addr, mac, probes := arpSender(packet)
		if mac != nil && (!probes || p.claim && bytes.Compare(mac, p.dev.HardwareAddr) < 0) {
			f(addr, mac)
		}
	})
}

// readARP passes on all packets within a time.
func readARP(s int, patience time.Duration, f func(packet []byte)) error {
	packet := make([]byte, 128)
	for end := time.Now().Add(patience); ; {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		wait := unix.NsecToTimeval(max(left, time.Millisecond).Nanoseconds()) // 0 would be for ever
		if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
			return err
		}
		n, _, err := unix.Recvfrom(s, packet, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		default:
			f(packet[:n])
		}
	}
}

// openARP opens a socket for ARP packets of one device.
func openARP(dev *netlink.LinkAttrs) (int, error) {
	s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("opening a socket for ARP: %w", err)
	}
	if err := unix.Bind(s, arpAddress(dev, nil)); err != nil {
		unix.Close(s)
		return 0, fmt.Errorf("opening a socket for ARP on %s: %w", dev.Name, err)
	}
	return s, nil
}

func sendARP(s int, dev *netlink.LinkAttrs, packet []byte) error {
	return unix.Sendto(s, packet, 0, arpAddress(dev, broadcast))
}

func arpAddress(dev *netlink.LinkAttrs, to net.HardwareAddr) *unix.SockaddrLinklayer {
	a := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ARP), Ifindex: dev.Index, Halen: uint8(len(to))}
	copy(a.Addr[:], to)
	return a
}

// networkOrder is a number as a big-endian field of the kernel's wants it.
func networkOrder(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

// arpPacket is a request for the owner of an address.
func arpPacket(from net.HardwareAddr, sender, target netip.Addr) []byte {
	p := binary.BigEndian.AppendUint16(nil, 1) // Ethernet
	p = binary.BigEndian.AppendUint16(p, unix.ETH_P_IP)
	p = append(p, 6, 4)
	p = binary.BigEndian.AppendUint16(p, arpRequest)
	p = append(append(p, from...), sender.AsSlice()...)
	p = append(p, make([]byte, 6)...)
	return append(p, target.AsSlice()...)
}

// arpSender reads a packet: the address that its sender has, with its hardware address, nil if it is
// none of Ethernet and IPv4. A probe is of a host that has not got the address yet.
func arpSender(p []byte) (addr netip.Addr, mac net.HardwareAddr, probe bool) {
	if len(p) < arpLength || p[4] != 6 || p[5] != 4 {
		return addr, nil, false
	}
	addr = netip.AddrFrom4([4]byte(p[14:18]))
	if probe = addr.IsUnspecified() && binary.BigEndian.Uint16(p[6:]) == arpRequest; probe {
		addr = netip.AddrFrom4([4]byte(p[24:28]))
	}
	return addr, slices.Clone(net.HardwareAddr(p[8:14])), probe
}
