package host

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An Address is a virtual address on a device.
type Address struct {
	Prefix netip.Prefix `json:"prefix"`
	Dev    string       `json:"dev"`
	Label  string       `json:"label,omitempty"` // as ifconfig shows it, "" is none
}

// newAddress is the step for one virtual address. Its label has the address's
// last number, as in eth0:99 for 192.168.1.99.
func newAddress(prefix netip.Prefix, dev string) *Address {
	a := &Address{Prefix: prefix, Dev: dev}
	if prefix.Addr().Is4() {
		label := fmt.Sprintf("%s:%d", dev, prefix.Addr().As4()[3])
		if len(label) < unix.IFNAMSIZ {
			a.Label = label
		}
	}
	return a
}

// String implements Step.
func (a *Address) String() string {
	text := fmt.Sprintf("address add %s dev %s", a.Prefix, a.Dev)
	switch {
	case a.Label != "":
		text += " label " + a.Label
	case a.Prefix.Addr().Is6():
		text += " preferred_lft 0"
	}
	return text
}

// look finds the address whatever its prefix and label are.
func (a *Address) look(*machine) (sight, error) {
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return sight{}, err
	}
	for _, on := range addresses {
		if ip, ok := netip.AddrFromSlice(on.IP); !ok || ip.Unmap() != a.Prefix.Addr() {
			continue
		}
		dev, err := netlink.LinkByIndex(on.LinkIndex)
		if err != nil {
			return sight{}, err
		}
		if dev.Attrs().Name == a.Dev {
			return sight{done: true, was: on.IPNet.String()}, nil
		}
		return sight{was: "on " + dev.Attrs().Name}, nil
	}
	return sight{}, nil
}

func (a *Address) do(*machine) error {
	dev, err := device(a.Dev)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(dev, a.netlink()); err != nil && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	if dev.Attrs().Flags&net.FlagLoopback == 0 && a.Prefix.Addr().Is4() {
		// Neighbours may still send to the director that had it before.
		_ = announce(dev.Attrs(), a.Prefix.Addr())
	}
	return nil
}

func (a *Address) undo(*machine, string) error {
	dev, err := netlink.LinkByName(a.Dev)
	if isNoDevice(err) {
		return nil
	}
	if err != nil {
		return err
	}
	err = netlink.AddrDel(dev, a.netlink())
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil
	}
	return err
}

// netlink is the address for the kernel. An IPv6 one is no default source address
// of this host's own connections: otherwise a director would send its checks and
// its tunnelled packets from it, and the real servers, which have that address too,
// would drop them. An IPv4 one is none while the device has another.
func (a *Address) netlink() *netlink.Addr {
	addr := &netlink.Addr{IPNet: ipNet(a.Prefix), Label: a.Label}
	if a.Prefix.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD // the real servers have it, too
		addr.ValidLft, addr.PreferedLft = math.MaxUint32, 0
	}
	return addr
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// device is the network device with that name.
func device(name string) (netlink.Link, error) {
	dev, err := netlink.LinkByName(name)
	if isNoDevice(err) {
		return nil, fmt.Errorf("there is no device %s", name)
	}
	return dev, err
}

func isNoDevice(err error) bool {
	_, missing := errors.AsType[netlink.LinkNotFoundError](err)
	return missing
}
