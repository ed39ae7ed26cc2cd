package importer

import (
	"net/netip"
	"strconv"
	"strings"
)

// A target is where a check goes and where it comes from. "" is not given.
type target struct {
	address, port        string
	source, device, mark string
}

// take reads n if it is one of the connection options of a checker. own is the address of
// the real server, which is the default. add gets the faults.
func (t *target) take(n *node, own netip.Addr, add func(note)) bool {
	var ok bool
	value := n.Word(0)
	a, isAddr := parseAddr(value)
	switch n.Name() {
	case "connect_ip":
		if ok = isAddr; ok {
			t.address = ""
			if a != own {
				t.address = a.String()
			}
		}
	case "connect_port":
		if ok = isPort(value); ok {
			t.port = value
		}
	case "bindto":
		to := own
		if t.address != "" {
			to = netip.MustParseAddr(t.address)
		}
		if ok = isAddr && a.Is6() == to.Is6(); ok {
			t.source = a.String()
		}
	case "bind_if":
		if ok = isDevice(value); ok {
			t.device = value
		}
	case "fwmark":
		var mark string
		if mark, ok = parseMark(value); ok {
			t.mark = mark
		}
	default:
		return false
	}
	if !ok {
		add(notCarried(n))
	}
	return true
}

// directives are those of t.
func (t target) directives() (d []string) {
	for _, row := range [][2]string{
		{"checkaddress", t.address},
		{"checkport", t.port},
		{"checksource", t.source},
		{"checkdevice", t.device},
		{"checkmark", t.mark},
	} {
		if row[1] != "" {
			d = append(d, row[0]+" = "+row[1])
		}
	}
	return d
}

// isPort reports whether s is the number of a port.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// isDevice reports whether s can be the name of a network device in a directive.
func isDevice(s string) bool {
	return expressible(s) && len(s) <= 15 && s != "none" && !strings.ContainsAny(s, "/:\"' \t\u00a0")
}
