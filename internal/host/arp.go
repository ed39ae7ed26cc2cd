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

	"github.com/ldirectord/ldirectord/internal/neighbours"
)

const (
	arpRequest = 1
	arpLength  = 28
)

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
	return sendARP(p.socket, p.dev, neighbours.ARPRequest(p.dev.HardwareAddr, netip.IPv4Unspecified(), addr))
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
	if err := unix.Bind(s, neighbours.Destination(dev, unix.ETH_P_ARP, nil)); err != nil {
		unix.Close(s)
		return 0, fmt.Errorf("opening a socket for ARP on %s: %w", dev.Name, err)
	}
	return s, nil
}

func sendARP(s int, dev *netlink.LinkAttrs, packet []byte) error {
	return unix.Sendto(s, packet, 0, neighbours.Broadcast(dev))
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
