package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// An AddressState is whether a virtual address is served: the network may be told that this
// director takes it.
type AddressState struct {
	Address netip.Addr `json:"address"`
	Served  bool       `json:"served"`
	Since   time.Time  `json:"since,omitzero"`   // of Served
	Reason  string     `json:"reason,omitempty"` // why it is not served

	Withdrawn *Override `json:"withdrawn,omitempty"` // the order that keeps it from being served

	Waits   bool `json:"waits,omitempty"` // it will be served after announcedelay
	Checked bool `json:"-"`               // the first checks of all its virtual services are in
}

// String returns the state in one line: "10.0.0.80 is served".
func (a AddressState) String() string {
	if a.Served {
		return a.Address.String() + " is served"
	}
	return a.Address.String() + " is not served: " + a.Reason
}

// NoAddress is the answer to the question for all addresses of a configuration that has none.
const NoAddress = "no virtual address is to be announced: announce = no, or the configuration has none"

// NotAnAddress is what is wrong with a name that is to be a virtual address.
func NotAnAddress(name string) string {
	if at, err := netip.ParseAddrPort(name); err == nil {
		return fmt.Sprintf("%q is no address: write %s, without the port", name, at.Addr())
	}
	return fmt.Sprintf("%.60q is no address: write one such as 10.0.0.1 or fd00::1; a firewall mark has none", name)
}

// NoSuchAddress returns an ErrNotConfigured for an address that is not among those of a configuration
// that can be served.
func NoSuchAddress(name string) error {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err != nil {
		return fmt.Errorf("virtual address %s: %w: %s", name, ErrNotConfigured, NotAnAddress(name))
	}
	return fmt.Errorf("virtual address %s: %w, or all of its virtual services have announce = no", name, ErrNotConfigured)
}

// AllServed reports whether there are addresses, and each is served.
func AllServed(states []AddressState) bool {
	return len(states) > 0 && !slices.ContainsFunc(states, func(a AddressState) bool { return !a.Served })
}

// AddressesCalled returns the state of one of the addresses, none if it is none of these.
func AddressesCalled(states []AddressState, vip netip.Addr) []AddressState {
	i := slices.IndexFunc(states, func(a AddressState) bool { return a.Address == vip.Unmap() })
	if i < 0 {
		return nil
	}
	return states[i : i+1]
}
