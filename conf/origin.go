package conf

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// readCheckSource is checksource = ADDRESS: the local address of checks.
func readCheckSource(at *location, value string) (netip.Addr, error) { return readAddress(at, value) }

// readCheckAddress is checkaddress = ADDRESS: the address to check in place of each
// real server's.
func readCheckAddress(at *location, value string) (netip.Addr, error) { return readAddress(at, value) }

func readAddress(at *location, value string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.Trim(bareText(value), "[]"))
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, errors.New(at.name + " must be an IP address")
	}
	return addr.Unmap(), nil
}

// isDevice reports whether the kernel takes a name for a network device (dev_valid_name of
// net/core/dev.c).
func isDevice(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= longestDevice && !strings.ContainsAny(name, "/:"+blanks)
}

// readCheckDevice is checkdevice = DEVICE: the network device of checks, or none.
func readCheckDevice(_ *location, value string) (string, error) {
	name := bareText(value)
	switch {
	case name == "none":
		return "", nil
	case !isDevice(name):
		return "", errors.New("checkdevice must be the name of a network device, or none")
	}
	return name, nil
}

// readCheckMark is checkmark = N: the mark of the packets of checks. 0 is none.
func readCheckMark(_ *location, value string) (uint32, error) {
	n, err := strconv.ParseUint(bareNumber(value), 0, 32)
	if err != nil {
		return 0, errors.New("checkmark must be a number from 0 to 4294967295, or a hexadecimal one such as 0x10")
	}
	return uint32(n), nil
}

// adviseOrigin is about an origin that its checks do not have.
func (p *parser) adviseOrigin(b *block) {
	v := b.v
	if v.CheckType == CheckExternal || v.CheckType == CheckExternalPerl {
		for _, name := range []string{"checkaddress", "checkdevice", "checkmark", "checksource"} {
			if at := b.lines[name]; at != 0 {
				p.advise(at, CodeUnusedDirective, name+" is not used by checktype="+v.CheckType.String(), "the command gets the real server's own address")
			}
		}
		return
	}
	ipv6 := v.IPv6
	if v.CheckAddr.IsValid() {
		ipv6 = v.CheckAddr.Is6()
	}
	if v.CheckSource.IsValid() && v.CheckSource.Is6() != ipv6 {
		p.advise(b.lines["checksource"], CodeUnusedDirective, "checksource "+v.CheckSource.String()+" is of another family than what is checked: it is not used", "")
	}
}
