package ipvs

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
)

// MaxTimeout is the longest persistence that ipvsadm and this package accept, 31
// days. The kernel would take more and let it overflow.
const MaxTimeout = 31 * 24 * 60 * 60

// Values of Service.Netmask that are no prefix length of 1 to 128.
const (
	// AllClients is the IPv4 netmask 0.0.0.0: all clients go to one
	// destination, as long as one of them comes back within the timeout.
	AllClients uint8 = 255
	// OddNetmask is an IPv4 netmask with gaps, 255.0.255.0, that somebody else
	// has set. It is only ever read back.
	OddNetmask uint8 = 254
)

// ParseTimeout checks seconds of persistence, which must be 1 to MaxTimeout.
func ParseTimeout(seconds uint64) (uint32, error) {
	if seconds < 1 || seconds > MaxTimeout {
		return 0, fmt.Errorf("persistent timeout %d is not in 1 to %d seconds", seconds, MaxTimeout)
	}
	return uint32(seconds), nil
}

// ParseNetmask turns a dotted quad, or for IPv6 a prefix length, into a
// Service.Netmask. "" is the whole address.
func ParseNetmask(text string, ipv6 bool) (uint8, error) {
	switch {
	case text == "":
		return 0, nil
	case ipv6:
		return parsePrefixLength(text)
	default:
		return parseDottedMask(text)
	}
}

func parsePrefixLength(text string) (uint8, error) {
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n < 1 || n > 128 {
		return 0, fmt.Errorf("netmask %s: a prefix length between 1 and 128 is required", text)
	}
	return uint8(n), nil
}

func parseDottedMask(text string) (uint8, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return 0, fmt.Errorf("netmask %s: a dotted quad is required", text)
	}
	quad := a.As4()
	mask := maskLength(binary.BigEndian.Uint32(quad[:]))
	if mask == OddNetmask {
		return 0, fmt.Errorf("netmask %s has gaps: only leading bits can be used", text)
	}
	return mask, nil
}

// maskLength is the Service.Netmask of an IPv4 mask in the host's byte order.
func maskLength(mask uint32) uint8 {
	n := bits.LeadingZeros32(^mask)
	switch {
	case mask == 0:
		return AllClients
	case mask<<n != 0:
		return OddNetmask
	}
	return uint8(n)
}

// dottedMask is the reverse of maskLength; 0 is the whole address.
func dottedMask(length uint8) uint32 {
	switch length {
	case 0:
		return ^uint32(0)
	case AllClients:
		return 0
	}
	return ^uint32(0) << (32 - length)
}

// wholeNetmask makes 0 of the netmasks that stand for the whole address.
func wholeNetmask(n uint8, ipv6 bool) uint8 {
	if n == 32 && !ipv6 || n == 128 && ipv6 {
		return 0
	}
	return n
}

// netmaskWord is the argument of ipvsadm -M, "" for the whole address.
func netmaskWord(n uint8, ipv6 bool) string {
	n = wholeNetmask(n, ipv6)
	switch {
	case n == 0:
		return ""
	case ipv6:
		return strconv.Itoa(int(n))
	case n == OddNetmask:
		return "odd"
	}
	var quad [4]byte
	binary.BigEndian.PutUint32(quad[:], dottedMask(n))
	return netip.AddrFrom4(quad).String()
}
