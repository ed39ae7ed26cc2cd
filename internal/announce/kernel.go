package announce

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/neighbours"
	"github.com/ldirectord/ldirectord/internal/sysctl"
)

// kernel is the network of this process.
type kernel struct{}

// arpIgnore keeps this host from answering ARP requests at one device for the addresses of
// another: Linux does so for those of a dummy.
const arpIgnore = "net/ipv4/conf/all/arp_ignore"

// Ready implements Network.
func (kernel) Ready(device string) error {
	link, err := netlink.LinkByName(device)
	if missing(err) {
		if err := ignoreARP(); err != nil {
			return err
		}
		err = netlink.LinkAdd(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: device}})
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("making it as a dummy: %w", err)
		}
		link, err = netlink.LinkByName(device)
	}
	if err != nil {
		return err
	}
	if link.Type() == "dummy" {
		if err := ignoreARP(); err != nil {
			return err
		}
	}
	if link.Attrs().Flags&net.FlagUp != 0 {
		return nil
	}
	return netlink.LinkSetUp(link)
}

func ignoreARP() error {
	text, err := os.ReadFile("/proc/sys/" + arpIgnore)
	if err != nil || strings.TrimSpace(string(text)) != "0" {
		return err
	}
	return sysctl.Write("/proc", arpIgnore, "1")
}

func missing(err error) bool {
	_, ok := errors.AsType[netlink.LinkNotFoundError](err)
	return ok || errors.Is(err, unix.ENODEV)
}

// Addresses implements Network.
func (kernel) Addresses(device string) ([]netip.Addr, error) {
	link, err := netlink.LinkByName(device)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range list {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs, nil
}

// Add implements Network. On a device of a network the neighbours learn that the addresses are here: they
// may still send to the director that had them before.
func (kernel) Add(device string, addrs []netip.Addr) (added int, err error) {
	h, link, err := open(device)
	if err != nil {
		return 0, err
	}
	defer h.Close()
	var told neighbours.Socket
	defer told.Close()
	for i, addr := range addrs {
		a := &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())}}
		if addr.Is6() {
			a.Flags = unix.IFA_F_NODAD
		}
		if err := h.AddrAdd(link, a); err != nil && !errors.Is(err, unix.EEXIST) {
			return i, err
		}
		_ = told.Announce(link.Attrs(), addr)
	}
	return len(addrs), nil
}

// open opens one socket for all requests about a device.
func open(device string) (*netlink.Handle, netlink.Link, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, nil, err
	}
	link, err := h.LinkByName(device)
	if err != nil {
		h.Close()
		return nil, nil, err
	}
	return h, link, nil
}

// Remove implements Network. It removes the addresses with whatever prefix they have.
func (kernel) Remove(device string, addrs []netip.Addr) error {
	h, link, err := open(device)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer h.Close()
	list, err := h.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	gone := make(map[netip.Addr]bool, len(addrs))
	for _, addr := range addrs {
		gone[addr] = true
	}
	for _, a := range list {
		if on, ok := netip.AddrFromSlice(a.IP); ok && gone[on.Unmap()] {
			if err := h.AddrDel(link, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
				return fmt.Errorf("removing %s: %w", on, err)
			}
		}
	}
	return nil
}
