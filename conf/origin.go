package conf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
	if at := b.lines["checksource"]; at != 0 && v.ForeignSource() {
		p.advise(at, CodeUnusedDirective, "checksource "+v.CheckSource.String()+" is of another family than what is checked: it is not used", "")
	}
}

// ForeignSource reports whether checksource is of another family than what v's own check asks, which
// then does without.
func (v *VirtualService) ForeignSource() bool {
	ipv6 := v.IPv6
	if v.CheckAddr.IsValid() {
		ipv6 = v.CheckAddr.Is6()
	}
	switch v.CheckType {
	case CheckOn, CheckOff, CheckExternal, CheckExternalPerl: // which ask from no address
		return false
	}
	return v.CheckSource.IsValid() && v.CheckSource.Is6() != ipv6
}

// adviseForeignSource warns of a checksource outside of blocks that some virtual services cannot use.
func adviseForeignSource(p *parser) {
	if !p.outside.CheckSource.IsValid() || p.failed {
		return
	}
	first, more := "", 0
	for _, b := range p.blocks {
		switch v := b.v; {
		case b.lines["checksource"] != 0 || !slices.ContainsFunc(v.EachCheck(), (*VirtualService).ForeignSource):
		case first == "":
			first = v.ID()
		default:
			more++
		}
	}
	if first == "" {
		return
	}
	if more > 0 {
		first += fmt.Sprintf(" and %d more", more)
	}
	p.adviseAt("checksource", CodeUnusedDirective, "checksource "+p.outside.CheckSource.String()+" is of another family than what is checked of "+first+": it is not used there",
		"checksource = none, or an address of the family, in these blocks")
}
