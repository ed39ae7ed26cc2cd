package ipvs

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// MaxTimeout is the longest persistence that ipvsadm and this package accept, 31
// days. The kernel would take more and let it overflow.
const MaxTimeout = 31 * 24 * 60 * 60

// A Netmask has the bits of a client's address that persistence ignores: for IPv4
// these bits are set, for IPv6 it is their number at the end. So the zero Netmask
// compares the whole address.
type Netmask uint32

// AllClients is the IPv4 netmask 0.0.0.0: all clients go to one destination, as
// long as one of them returns within the timeout.
const AllClients = ^Netmask(0)

// Prefix is the Netmask of the first bits of an address: 24 is 255.255.255.0.
func Prefix(bits uint8, ipv6 bool) Netmask {
	if ipv6 {
		return 128 - Netmask(bits)
	}
	return AllClients >> bits
}

// ParseTimeout checks seconds of persistence, which must be 1 to MaxTimeout.
func ParseTimeout(seconds uint64) (uint32, error) {
	if seconds < 1 || seconds > MaxTimeout {
		return 0, fmt.Errorf("persistent timeout %d is not in 1 to %d seconds", seconds, MaxTimeout)
	}
	return uint32(seconds), nil
}

// ParseNetmask reads a dotted quad, or for IPv6 a prefix length, as ipvsadm does: a
// number with a leading 0 is octal, and IPv4 masks may have gaps. "" is the whole
// address.
func ParseNetmask(text string, ipv6 bool) (Netmask, error) {
	switch {
	case text == "":
		return 0, nil
	case ipv6:
		return parsePrefixLength(text)
	default:
		return parseDottedMask(text)
	}
}

func parsePrefixLength(text string) (Netmask, error) {
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n < 1 || n > 128 {
		return 0, fmt.Errorf("netmask %s: a prefix length between 1 and 128 is required", text)
	}
	return Prefix(uint8(n), true), nil
}

// parseDottedMask parses four numbers as ipvsadm's inet_aton(3) does.
func parseDottedMask(text string) (Netmask, error) {
	words := strings.Split(text, ".")
	if len(words) != 4 {
		return 0, fmt.Errorf("netmask %s: a dotted quad is required", text)
	}
	var mask uint32
	for _, word := range words {
		base := 10
		if strings.HasPrefix(word, "0") {
			base = 8
		}
		n, err := strconv.ParseUint(word, base, 8)
		switch {
		case err != nil && base == 8:
			return 0, fmt.Errorf("netmask %s: %s is no octal number from 0 to 0377; a number that begins with 0 is octal", text, word)
		case err != nil:
			return 0, fmt.Errorf("netmask %s: %s is not a number from 0 to 255", text, word)
		}
		mask = mask<<8 | uint32(n)
	}
	return Netmask(^mask), nil
}

// word is the argument of ipvsadm -M, "" for the whole address.
func (n Netmask) word(ipv6 bool) string {
	switch {
	case n == 0:
		return ""
	case ipv6:
		return strconv.Itoa(128 - int(n))
	}
	var quad [4]byte
	binary.BigEndian.PutUint32(quad[:], ^uint32(n))
	return netip.AddrFrom4(quad).String()
}
