package host

import (
	"net"
	"path/filepath"

	"github.com/vishvananda/netlink"
)

// A Device is a network device that has to be up.
type Device struct {
	Name string `json:"name"`
}

// String implements Step.
func (d *Device) String() string { return "link up " + d.Name }

func (d *Device) look(*machine) (sight, error) {
	dev, err := device(d.Name)
	if err != nil {
		return sight{}, err
	}
	if dev.Attrs().Flags&net.FlagUp == 0 {
		return sight{was: "down"}, nil
	}
	return sight{done: true}, nil
}

func (d *Device) do(*machine) error {
	dev, err := device(d.Name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(dev)
}

func (d *Device) undo(*machine, string) error {
	dev, err := netlink.LinkByName(d.Name)
	if isNoDevice(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return netlink.LinkSetDown(dev)
}

// A Module is a module of the kernel, loaded or built in.
type Module struct {
	Name string
	Sign string // a file below /proc or /sys that exists with the module
}

func (*Module) unowned() {}

// String implements Step.
func (mod *Module) String() string { return "module " + mod.Name }

func (mod *Module) look(m *machine) (sight, error) {
	there := exists(filepath.Join(m.sys, "module", mod.Name)) ||
		mod.Sign != "" && (exists(filepath.Join(m.proc, mod.Sign)) || exists(filepath.Join(m.sys, mod.Sign)))
	return sight{done: there}, nil
}

func (mod *Module) do(m *machine) error {
	_, err := m.run(m.context(), "", "modprobe", mod.Name)
	return err
}

func (mod *Module) undo(*machine, string) error { return nil }

// HasDevice reports whether this host has a network device of that name, or gets it
// with the module of a tunnel.
func HasDevice(name string) bool {
	if name == "tunl0" || name == "ip6tnl0" {
		return true
	}
	_, err := device(name)
	return err == nil
}
