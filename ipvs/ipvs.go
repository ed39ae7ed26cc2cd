// Package ipvs reads and changes the kernel's table of virtual services, in
// the kernel's words: a service has destinations. Kernel is the real table,
// Memory obeys the same rules in memory.
//
// What the kernel (6.1, tried in a test that runs against it) does and does not
// do with a destination, because it is often assumed otherwise:
//
//   - it stores the port as given, for every forwarding method. Only the tool
//     ipvsadm enters gate and ipip destinations under the service's port;
//     Key.DestinationPort is that rule. A gate or ipip packet keeps its port
//     whatever the entry says.
//   - it stores port 0 as given, for address and for mark services. With a mark
//     service, or one for all ports, port 0 keeps the port of the connection.
//   - a destination that is an address of this host keeps its forwarding method
//     and is delivered locally all the same. Kernels before 2.6.37 turned the
//     method into Local.
//   - the method is not part of the key: 10.1.0.1:80 can be in a service once.
package ipvs

import "net/netip"

// Table is what a director's kernel holds: the real one (Open) or one in
// memory (NewMemory). It may be used by one goroutine at a time.
type Table interface {
	// Read returns all services with their destinations.
	Read() ([]Entry, error)
	// Apply does one change. Its error wraps fs.ErrExist (the entry is there
	// already), fs.ErrNotExist (the entry, its service or the scheduler is
	// missing), fs.ErrPermission (no rights) or errors.ErrUnsupported (no IPVS
	// in this kernel) where it applies, and reads as one sentence.
	Apply(Change) error
	Close() error
}

// An Entry is one service and its destinations.
type Entry struct {
	Service      Service
	Stats        Stats // of the service; read back only
	Destinations []Destination
}

// A Key tells one service from another, as the kernel does.
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
	Timeout   uint32  // seconds of persistence, up to MaxTimeout; meaningful with FlagPersistent
	Netmask   Netmask // which clients are one for persistence
	PE        string  // persistence engine, "" is none
}

// A Destination is one real server of a service. The kernel knows it by its
// address and port.
type Destination struct {
	netip.AddrPort
	Forward Forward
	Weight  int
	Upper   uint32 // connection thresholds, 0 is none
	Lower   uint32

	// Read back only; ignored by Apply and by Same.
	Active     uint32
	Inactive   uint32
	Persistent uint32
	Stats      Stats
}

// A Change is one thing done to the table.
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
// port, and else the given one. Mark services take every port as it is.
func (k Key) DestinationPort(f Forward, port uint16) uint16 {
	if k.Mark == 0 && (f == Route || f == Tunnel) {
		return k.Port
	}
	return port
}

// Op is what a Change does.
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

// The protocols that a service can have.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// Forward is a forwarding method, with the kernel's numbers
// (include/uapi/linux/ip_vs.h, IP_VS_CONN_F_FWD_MASK).
type Forward uint8

// The forwarding methods. Local and Bypass are only ever read back.
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
