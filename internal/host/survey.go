package host

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// A Survey is the observed state of a host. The diagnoses are functions of it and
// of the host's intended role.
type Survey struct {
	IPVS      bool
	Addresses map[netip.Addr]Placed // this host's
	Sysctl    func(name string) string
	Strangers map[netip.Addr][]string // who else answers for a virtual address, see neighbour
	Asked     map[netip.Addr]bool     // whether the network could be asked for it
	Owned     map[netip.Addr]string   // the file of another program of this host that has it
	Devices   []string                // of virtual addresses and masq real servers, sorted
	Rules     []string                // of the packet filter, as iptables -S shows them
	Rules6    []string
	Marks     []Condition // of the configured marks
	Rivals    []Rival     // who else writes the table
	Pair      Pair        // what is known of other directors
	Load      Load        // what has to fit into the kernel's tables
	ClockOff  string      // the fault of the clock, "" is none
	Reals     map[netip.AddrPort]Reach
	Down      map[string]bool // devices that are there and not up
	Gateway   netip.Addr      // of the IPv4 default route
	Gateway6  netip.Addr      // of the IPv6 default route
}

// Placed is where an address is.
type Placed struct {
	Dev  string
	Bits int // of its prefix
}

// A Rival is a program or service that writes the table, too.
type Rival struct {
	What string // "keepalived runs as process 312"
	Cure string
}

// Reach is how a real server was reached.
type Reach struct {
	Dev   string        // "" if there is no route
	From  netip.Addr    // this host's address on the way
	Error string        // "" if it was
	Ahead time.Duration // of its clock before this host's, if it sends the time
}

// sysctl is a kernel parameter, "" if it is not there.
func (s Survey) sysctl(name string) string {
	if s.Sysctl == nil {
		return ""
	}
	return s.Sysctl(name)
}

// either is the larger one of a device's parameter and that of all devices, as
// the kernel takes it for most.
func (s Survey) either(dev, name string) string {
	return max(s.sysctl("net/ipv4/conf/all/"+name), s.sysctl("net/ipv4/conf/"+dev+"/"+name))
}

// A checkPoint is the address of a real server's check.
func checkPoint(v *conf.VirtualService, r *conf.RealServer) netip.AddrPort {
	return netip.AddrPortFrom(r.Addr, v.PortToCheck(r))
}
