package host

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/mdlayher/ndp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/neighbours"
)

// A probe6 probes by neighbour solicitations (RFC 4861): for a claim as in duplicate address detection
// (RFC 4862, section 5.4), so that two hosts that begin at once see each other. Real servers with the
// address on lo do not answer.
type probe6 struct {
	dev    *netlink.LinkAttrs
	conn   *ndp.Conn
	groups []*ndp.Conn // their memberships: the kernel limits those of one socket
	raw    int         // a socket for claims, whose sender is no address; -1: only owners are found
}

const mostGroups = 100

func openProbe6(dev *netlink.LinkAttrs, addrs []netip.Addr, claim bool) (*probe6, error) {
	ifi, err := net.InterfaceByIndex(dev.Index)
	if err != nil {
		return nil, err
	}
	ifi.Name = strconv.Itoa(ifi.Index) // as a zone: package net keeps which device a name is for a minute
	p := &probe6{dev: dev, raw: -1}
	if p.conn, _, err = ndp.Listen(ifi, ndp.LinkLocal); err != nil {
		return nil, fmt.Errorf("no neighbour discovery on %s: %w", dev.Name, err)
	}
	if !claim || len(dev.HardwareAddr) != 6 {
		return p, nil
	}
	for part := range slices.Chunk(addrs, mostGroups) {
		if p.join(ifi, part) != nil {
			return p, nil
		}
	}
	if s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
		p.raw = s
	}
	return p, nil
}

// join has the device receive what others that claim the addresses send.
func (p *probe6) join(ifi *net.Interface, addrs []netip.Addr) error {
	conn, _, err := ndp.Listen(ifi, ndp.LinkLocal)
	if err != nil {
		return err
	}
	p.groups = append(p.groups, conn)
	joined := map[netip.Addr]bool{}
	for _, addr := range addrs {
		group, err := ndp.SolicitedNodeMulticast(addr)
		if err == nil && !joined[group] {
			joined[group] = true
			err = conn.JoinGroup(group)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *probe6) close() {
	for _, conn := range append(p.groups, p.conn) {
		_ = conn.Close()
	}
	if p.raw >= 0 {
		_ = unix.Close(p.raw)
	}
}

// hear implements prober. As with ARP the lower hardware address goes first.
func (p *probe6) hear(patience time.Duration, f func(addr netip.Addr, mac net.HardwareAddr)) error {
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		m, _, from, err := p.conn.ReadFrom()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		if addr, mac := advertised(m); mac != nil {
			f(addr, mac)
		} else if p.raw >= 0 && from.WithZone("").IsUnspecified() {
			if addr, mac := claimed(m); mac != nil && bytes.Compare(mac, p.dev.HardwareAddr) < 0 {
				f(addr, mac)
			}
		}
	}
}

// ask implements prober.
func (p *probe6) ask(addr netip.Addr) error {
	group, err := ndp.SolicitedNodeMulticast(addr)
	if err != nil {
		return err
	}
	if p.raw < 0 {
		return p.conn.WriteTo(&ndp.NeighborSolicitation{
			TargetAddress: addr, Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: p.dev.HardwareAddr}},
		}, nil, group)
	}
	packet, err := neighbours.ICMPv6(claimOf(addr, p.dev.HardwareAddr), netip.IPv6Unspecified(), group)
	if err != nil {
		return err
	}
	return unix.Sendto(p.raw, packet, 0, neighbours.Destination(p.dev, unix.ETH_P_IPV6, neighbours.HardwareGroup(group)))
}

// nonceTag begins the nonce (RFC 7527) of a claim of this program, which goes on with the hardware
// address: an option with that address alone may not be in a message from no address.
const (
	nonceTag  = "ldirectd"
	optNonce  = 14
	nonceUnit = 8
)

// claimOf is a solicitation of a host that is about to take an address.
func claimOf(addr netip.Addr, mac net.HardwareAddr) *ndp.NeighborSolicitation {
	value := append([]byte(nonceTag), mac...)
	return &ndp.NeighborSolicitation{
		TargetAddress: addr, Options: []ndp.Option{&ndp.RawOption{Type: optNonce, Length: uint8((2 + len(value)) / nonceUnit), Value: value}},
	}
}

// claimed is what a message from no address says: the address that its sender is about to take, with its
// hardware address, empty if that is not known; nil if it says nothing of the kind.
func claimed(m ndp.Message) (netip.Addr, net.HardwareAddr) {
	ns, ok := m.(*ndp.NeighborSolicitation)
	if !ok {
		return netip.Addr{}, nil
	}
	for _, o := range ns.Options {
		nonce, ok := o.(*ndp.Nonce)
		if !ok {
			continue
		}
		value, _ := hex.DecodeString(nonce.String())
		if mac, ok := bytes.CutPrefix(value, []byte(nonceTag)); ok {
			return ns.TargetAddress, mac
		}
	}
	return ns.TargetAddress, net.HardwareAddr{}
}

// advertised is what an answer says: the address, and the hardware address of its owner; nil if it is none.
func advertised(m ndp.Message) (netip.Addr, net.HardwareAddr) {
	na, ok := m.(*ndp.NeighborAdvertisement)
	if !ok {
		return netip.Addr{}, nil
	}
	for _, o := range na.Options {
		if l, ok := o.(*ndp.LinkLayerAddress); ok && l.Direction == ndp.Target {
			return na.TargetAddress, l.Addr
		}
	}
	return netip.Addr{}, nil
}
