package conf

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
)

// A familyError is an address of the other family than its place takes, with the line that takes it.
type familyError struct {
	addr netip.Addr
	cure string // "" is none
}

func (e familyError) Error() string {
	family := "an IPv6 address"
	if e.addr.Is4() {
		family = "an IPv4 address"
	}
	if e.cure == "" {
		return fmt.Sprintf("%s is %s", e.addr, family)
	}
	return fmt.Sprintf("%s is %s: %s", e.addr, family, e.cure)
}

// familyCure adds the line that takes the address of a familyError: directive, without a 6 at its end, with this port.
func familyCure(err error, directive, port, where string) error {
	wrong, ok := errors.AsType[familyError](err)
	if !ok {
		return err
	}
	value := wrong.addr.String()
	if wrong.addr.Is6() {
		directive += "6"
		if value = net.JoinHostPort(value, port); port == "" {
			value = "[" + wrong.addr.String() + "]"
		}
	} else if port != "" {
		value += ":" + port
	}
	wrong.cure = "write " + directive + " = " + value + where
	return wrong
}

// blockOf is where a line for addresses like that of err has its place.
func blockOf(err error) string {
	if wrong, ok := errors.AsType[familyError](err); ok && wrong.addr.Is4() {
		return " in a block that begins with virtual = ADDRESS:PORT"
	}
	return " in a block that begins with virtual6 = [ADDRESS]:PORT"
}

var zoned = regexp.MustCompile(`\[([0-9A-Fa-f:.]+)%([^]\s]*)\]`)

// hintZone is the cure for an address with a zone, "" if text has none.
func hintZone(text string) string {
	if m := zoned.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s has a zone, and the kernel takes no link-local address, unless it is this host's: write another one", m[0])
	}
	return ""
}
