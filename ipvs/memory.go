package ipvs

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// A Memory is a table in memory that obeys the kernel's rules: for --dry-run, for
// trying the program without IPVS, and for tests. Unlike a Kernel it may be used by
// several goroutines.
type Memory struct {
	// OnChange, unless nil, is called after each successful change, before Apply
	// returns. Set it before the first use of the table; it must not use the table.
	OnChange func(Change)

	mu       sync.Mutex
	services map[Key]*memoryService
	beside   memoryBeside
	writes   uint64
	closed   bool
}

type memoryService struct {
	service      Service
	destinations []memoryDestination // in the order of their addresses
}

// A memoryDestination is a Destination without counters. There may be tens of
// thousands, and a table in memory has no connections.
type memoryDestination struct {
	addr         netip.Addr
	port         uint16
	forward      Forward
	weight       int32 // as large as the rules allow
	upper, lower uint32
}

func (d *memoryDestination) at() netip.AddrPort { return netip.AddrPortFrom(d.addr, d.port) }

// The schedulers of Linux 6.1, and "none", with which the kernel adds a service
// without a scheduler.
var schedulers = map[string]bool{
	"rr": true, "wrr": true, "lc": true, "wlc": true, "lblc": true, "lblcr": true, "dh": true, "sh": true,
	"sed": true, "nq": true, "mh": true, "fo": true, "ovf": true, "none": true,
}

// KnownScheduler reports whether Linux has a scheduler of this name. A module may
// add others.
func KnownScheduler(name string) bool { return schedulers[name] }

var persistenceEngines = map[string]bool{"": true, "sip": true}

// NewMemory is an empty table.
func NewMemory() *Memory {
	return &Memory{services: map[Key]*memoryService{}}
}

// Read implements Table. The order is that of ipvsadm -S -n.
func (m *Memory) Read() ([]Entry, error) { return collect(m.ReadEach) }

// ReadEach implements the function of this name.
func (m *Memory) ReadEach(use func(*Entry)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	var e Entry
	for _, s := range m.services {
		e.Service, e.Destinations = s.service, e.Destinations[:0]
		for i := range s.destinations {
			d := &s.destinations[i]
			e.Destinations = append(e.Destinations, Destination{
				AddrPort: d.at(), Forward: d.forward, Weight: int(d.weight), Upper: d.upper, Lower: d.lower,
			})
		}
		use(&e)
	}
	return nil
}

// Apply implements Table.
func (m *Memory) Apply(c Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.apply(c); err != nil {
		return refuse(c, err)
	}
	m.writes++
	if m.OnChange != nil {
		m.OnChange(c)
	}
	return nil
}

func (m *Memory) apply(c Change) error {
	if m.closed {
		return errClosed
	}
	if err := c.check(); err != nil {
		return err
	}
	s := m.services[c.Service.Key]
	switch {
	case c.Op == AddService:
		return m.addService(c.Service, s)
	case s == nil:
		return syscall.ESRCH
	case c.Op == EditService:
		return s.edit(c.Service)
	case c.Op == DeleteService:
		delete(m.services, c.Service.Key)
		return nil
	}
	return s.apply(c.Op, c.Destination)
}

func (m *Memory) addService(s Service, there *memoryService) error {
	if there != nil {
		return syscall.EEXIST
	}
	added := &memoryService{}
	if err := added.edit(s); err != nil {
		return err
	}
	m.services[s.Key] = added
	return nil
}

func (s *memoryService) edit(to Service) error {
	if !schedulers[to.Scheduler] || !persistenceEngines[to.PE] {
		return syscall.ENOENT
	}
	s.service = to.effective()
	s.service.Flags |= FlagHashed
	return nil
}

// apply changes a destination. As in the kernel, a deletion uses only address and
// port.
func (s *memoryService) apply(op Op, d Destination) error {
	i, there := slices.BinarySearchFunc(s.destinations, d.AddrPort, func(o memoryDestination, at netip.AddrPort) int {
		return o.at().Compare(at)
	})
	switch {
	case op == AddDestination && there:
		return syscall.EEXIST
	case op != AddDestination && !there:
		return syscall.ENOENT
	case op == AddDestination && d.Addr().IsLinkLocalUnicast() && d.Addr().Is6():
		return syscall.EINVAL
	case op == DeleteDestination:
		s.destinations = slices.Delete(s.destinations, i, i+1)
		return nil
	case op == AddDestination:
		s.destinations = slices.Insert(s.destinations, i, memoryDestination{})
	}
	s.destinations[i] = memoryDestination{
		addr: d.Addr(), port: d.Port(), forward: d.Forward, weight: int32(d.Weight), upper: d.Upper, lower: d.Lower,
	}
	return nil
}

// Writes counts the successful changes.
func (m *Memory) Writes() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// Close implements Table. The table cannot be used afterwards.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// String is the table in the notation of Save, "" if it is empty or closed.
func (m *Memory) String() string {
	table, err := m.Read()
	if err != nil {
		return ""
	}
	var b strings.Builder
	if Save(&b, table) != nil {
		return ""
	}
	return b.String()
}
