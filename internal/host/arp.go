package host

import (
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
	arpReply   = 2
	arpLength  = 28
)

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// announce announces an address to the network with a gratuitous request (RFC 5227,
// section 3): neighbours with another owner in their cache learn the new one.
func announce(dev *netlink.LinkAttrs, addr netip.Addr) error {
	s, err := openARP(dev)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	return sendARP(s, dev, arpPacket(dev.HardwareAddr, addr, addr))
}

// whoHas probes the network for the owners of an address, as before a claim of it
// (RFC 5227, section 2.1.1), and returns all answers within the time.
func whoHas(dev *netlink.LinkAttrs, addr netip.Addr, patience time.Duration) ([]net.HardwareAddr, error) {
	if !addr.Is4() || len(dev.HardwareAddr) != 6 {
		return nil, fmt.Errorf("no ARP on %s for %s", dev.Name, addr)
	}
	s, err := openARP(dev)
	if err != nil {
		return nil, err
	}
	defer unix.Close(s)
	if err := sendARP(s, dev, arpPacket(dev.HardwareAddr, netip.IPv4Unspecified(), addr)); err != nil {
		return nil, err
	}
	var owners []net.HardwareAddr
	packet := make([]byte, 128)
	for end := time.Now().Add(patience); ; {
		left := time.Until(end)
		if left <= 0 {
			return owners, nil
		}
		wait := unix.NsecToTimeval(left.Nanoseconds())
		if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
			return nil, err
		}
		n, _, err := unix.Recvfrom(s, packet, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		}
		if owner, ok := arpOwner(packet[:n], addr); ok && !slices.ContainsFunc(owners, func(o net.HardwareAddr) bool {
			return slices.Equal(o, owner)
		}) {
			owners = append(owners, owner)
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

// arpOwner reads an answer: the hardware address of an owner of addr.
func arpOwner(p []byte, addr netip.Addr) (net.HardwareAddr, bool) {
	if len(p) < arpLength || binary.BigEndian.Uint16(p[6:]) != arpReply || p[4] != 6 || p[5] != 4 {
		return nil, false
	}
	if sender := netip.AddrFrom4([4]byte(p[14:18])); sender != addr {
		return nil, false
	}
	return slices.Clone(net.HardwareAddr(p[8:14])), true
}
