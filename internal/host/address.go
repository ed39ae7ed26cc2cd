package host

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An Address is a virtual address on a device.
type Address struct {
	Prefix netip.Prefix `json:"prefix"`
	Dev    string       `json:"dev"`
	Label  string       `json:"label,omitempty"` // as ifconfig shows it, "" is none
	// Sole is that no other machine may have it, and that it is left to another program of this
	// host whose configuration has it.
	Sole bool `json:"sole,omitempty"`
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
func (a *Address) look(m *machine) (sight, error) {
	addresses := m.addresses
	if addresses == nil {
		var err error
		if addresses, err = readAddresses(); err != nil {
			return sight{}, err
		}
	}
	switch devs := addresses[a.Prefix.Addr()]; {
	case slices.Contains(devs, a.Dev):
		return sight{done: true}, nil
	case len(devs) > 0:
		return sight{was: "on " + devs[0]}, nil
	}
	return sight{}, nil
}

// readAddresses are the devices of each address of this host.
func readAddresses() (map[netip.Addr][]string, error) {
	devices, err := readDevices()
	if err != nil {
		return nil, err
	}
	found := make(map[netip.Addr][]string, len(devices.addresses))
	for _, on := range devices.addresses {
		found[on.prefix.Addr()] = append(found[on.prefix.Addr()], on.dev)
	}
	return found, nil
}

func (a *Address) do(m *machine) error {
	dev, err := device(a.Dev)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(dev, a.netlink()); err != nil && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	// Neighbours may still send to the director that had it before.
	_ = m.neighbours.Announce(dev.Attrs(), a.Prefix.Addr())
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

// Here are the addresses of this host, without those that are on lo alone, as real servers have them.
func Here() (map[netip.Addr]bool, error) {
	addresses, err := readAddresses()
	if err != nil {
		return nil, err
	}
	here := make(map[netip.Addr]bool, len(addresses))
	for addr, devs := range addresses {
		here[addr] = slices.ContainsFunc(devs, func(dev string) bool { return dev != "lo" })
	}
	return here, nil
}
