// Package ipvs reads and changes the kernel's table of virtual services, in the
// kernel's words: a service has destinations. Kernel is the real table, Memory
// obeys the same rules in memory.
//
// The kernel's treatment of a destination (6.1, verified by a test that runs
// against it) often differs from common assumptions:
//
//   - it stores the port unchanged, for every forwarding method. Only the tool
//     ipvsadm enters gate and ipip destinations under the service's port;
//     Key.DestinationPort is that rule. A gate or ipip packet keeps its port
//     whatever the port of the entry.
//   - it stores port 0 unchanged, for address and for mark services. With a mark
//     service, or one for all ports, port 0 keeps the port of the connection.
//   - a destination with an address of this host keeps its forwarding method
//     and is delivered locally all the same. Kernels before 2.6.37 changed the
//     method to Local.
//   - the method is not part of the key: 10.1.0.1:80 can be in a service once.
package ipvs

import "net/netip"

// Table is a table of virtual services: the kernel's (Open) or one in memory
// (NewMemory). One goroutine at a time may use it.
type Table interface {
	// Read returns all services with their destinations.
	Read() ([]Entry, error)
	// Apply makes one change. Its error is one sentence and wraps, where it
	// applies, fs.ErrExist (the entry exists), fs.ErrNotExist (the entry or the
	// scheduler is missing), ErrNoService (its service is), fs.ErrPermission (no
	// rights) or errors.ErrUnsupported (no IPVS in this kernel).
	Apply(Change) error
	Close() error
}

// An Entry is one service and its destinations.
type Entry struct {
	Service      Service
	Stats        Stats // of the service; Apply ignores it
	Destinations []Destination
}

// A Key identifies a service, as in the kernel.
type Key struct {
	Protocol Protocol   // 0 for a firewall mark
	Addr     netip.Addr // invalid for a firewall mark
	Port     uint16     // 0 is all ports
	Mark     uint32     // 0 unless it is a firewall mark service
	IPv6     bool       // the family, of addresses (as Addr says) and of marks
}

// A Service is one virtual service of the kernel.
type Service struct {
	Key
	Scheduler string
	Flags     Flags
	Timeout   uint32  // seconds of persistence, up to MaxTimeout; only used with FlagPersistent
	Netmask   Netmask // the part of a client's address that persistence compares
	PE        string  // persistence engine, "" is none
}

// A Destination is one real server of a service. Its address and port identify it.
type Destination struct {
	netip.AddrPort
	Forward Forward
	Weight  int
	Upper   uint32 // connection thresholds, 0 is none
	Lower   uint32

	// Set by Read; Apply and Same ignore them.
	Active     uint32
	Inactive   uint32
	Persistent uint32
	Stats      Stats
}

// A Change is one change of the table.
type Change struct {
	Op          Op
	Service     Service
	Destination Destination // for the destination operations
}

// AddrKey is the key of a service for an address and port.
func AddrKey(p Protocol, a netip.AddrPort) Key {
	return Key{Protocol: p, Addr: a.Addr(), Port: a.Port(), IPv6: a.Addr().Is6()}
}

// MarkKey is the key of a service for a firewall mark.
func MarkKey(mark uint32, ipv6 bool) Key {
	return Key{Mark: mark, IPv6: ipv6}
}

// DestinationPort is the port under which ipvsadm, and so ldirectord, enters a
// destination: the service's for gate and ipip, which cannot change a packet's
// port, and otherwise port. Mark services keep every port.
func (k Key) DestinationPort(f Forward, port uint16) uint16 {
	if k.Mark == 0 && (f == Route || f == Tunnel) {
		return k.Port
	}
	return port
}

// Op is the operation of a Change.
type Op uint8

// The operations, named as ipvsadm's options.
const (
	AddService        Op = iota // -A
	EditService                 // -E
	DeleteService               // -D
	AddDestination              // -a
	EditDestination             // -e
	DeleteDestination           // -d
)

// Protocol is an IP protocol number.
type Protocol uint16

// The protocols of services.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// Forward is a forwarding method, with the kernel's numbers
// (include/uapi/linux/ip_vs.h, IP_VS_CONN_F_FWD_MASK).
type Forward uint8

// The forwarding methods. Only Read returns Local and Bypass.
const (
	Masq   Forward = 0
	Local  Forward = 1
	Tunnel Forward = 2
	Route  Forward = 3
	Bypass Forward = 4
)

// Flags are a service's flags, with the kernel's numbers (IP_VS_SVC_F_*).
type Flags uint32

// The flags.
const (
	FlagPersistent Flags = 1 << 0
	FlagHashed     Flags = 1 << 1 // set by the kernel, ignored in comparisons
	FlagOnePacket  Flags = 1 << 2
	FlagSched1     Flags = 1 << 3 // sh-fallback, mh-fallback
	FlagSched2     Flags = 1 << 4 // sh-port, mh-port
	FlagSched3     Flags = 1 << 5

	flagsSched   = FlagSched1 | FlagSched2 | FlagSched3
	flagsWritten = FlagPersistent | FlagOnePacket | flagsSched // the rest is the kernel's own
)
