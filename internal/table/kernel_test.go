package table

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/ipvs"
)

// An answering table gives one answer to each kind of change.
type answering map[ipvs.Op]error

func (a answering) Read() ([]ipvs.Entry, error) { return nil, nil }
func (a answering) Apply(c ipvs.Change) error   { return a[c.Op] }
func (a answering) Close() error                { return nil }

// A refused second attempt counts, and its reason is the one that is reported: that of the
// first attempt, "is there already", is none.
func TestSecondAttempt(t *testing.T) {
	memory := errors.New("out of memory")
	for _, tt := range []struct {
		name    string
		op      ipvs.Op
		answers answering
		err     error
		refused map[ipvs.Op]uint64
		changes map[ipvs.Op]uint64
	}{
		{"add, is there", ipvs.AddDestination, answering{ipvs.AddDestination: fs.ErrExist}, nil, nil, map[ipvs.Op]uint64{ipvs.EditDestination: 1}},
		{"add, is there, refused", ipvs.AddDestination, answering{ipvs.AddDestination: fs.ErrExist, ipvs.EditDestination: memory}, memory, map[ipvs.Op]uint64{ipvs.EditDestination: 1}, nil},
		{"edit, is missing, refused", ipvs.EditDestination, answering{ipvs.EditDestination: fs.ErrNotExist, ipvs.AddDestination: memory}, memory, map[ipvs.Op]uint64{ipvs.AddDestination: 1}, nil},
		{"edit, no service", ipvs.EditDestination, answering{ipvs.EditDestination: ipvs.ErrNoService}, ipvs.ErrNoService, nil, nil},
		{"delete, is missing", ipvs.DeleteDestination, answering{ipvs.DeleteDestination: fs.ErrNotExist}, nil, nil, nil},
		{"delete, no service", ipvs.DeleteDestination, answering{ipvs.DeleteDestination: ipvs.ErrNoService}, ipvs.ErrNoService, nil, nil},
		{"no scheduler", ipvs.AddService, answering{ipvs.AddService: fs.ErrNotExist}, fs.ErrNotExist, map[ipvs.Op]uint64{ipvs.AddService: 1}, nil},
		{"no service to delete", ipvs.DeleteService, answering{ipvs.DeleteService: ipvs.ErrNoService}, nil, nil, nil},
	} {
		k := Kernel{Table: tt.answers}
		at := netip.MustParseAddrPort("10.1.0.1:80")
		s := Step{Change: ipvs.Change{Op: tt.op, Destination: ipvs.Destination{AddrPort: at, Weight: 1}}, New: Slot{At: at, Weight: 1}}
		k.Apply(&s)
		if !errors.Is(s.Err, tt.err) || tt.err == nil && s.Err != nil {
			t.Errorf("%s: error %v, want %v", tt.name, s.Err, tt.err)
		}
		for op := ipvs.AddService; op <= ipvs.DeleteDestination; op++ {
			if k.refused[op] != tt.refused[op] || k.changes[op] != tt.changes[op] {
				t.Errorf("%s: %s: %d refused, %d made, want %d and %d", tt.name, op, k.refused[op], k.changes[op], tt.refused[op], tt.changes[op])
			}
		}
	}
}

// Errors of changes without their service are told apart from those of a missing
// destination.
func TestNoService(t *testing.T) {
	m := ipvs.NewMemory()
	service := ipvs.Service{Key: ipvs.Key{Protocol: ipvs.TCP, Addr: netip.MustParseAddr("10.0.0.1"), Port: 80}, Scheduler: "rr"}
	dst := ipvs.Destination{AddrPort: netip.MustParseAddrPort("10.1.0.1:80"), Forward: ipvs.Masq, Weight: 1}
	edit := ipvs.Change{Op: ipvs.EditDestination, Service: service, Destination: dst}
	if err := m.Apply(edit); !errors.Is(err, ipvs.ErrNoService) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no such service") {
		t.Errorf("without the service: %v", err)
	}
	if err := m.Apply(ipvs.Change{Op: ipvs.AddService, Service: service}); err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(edit); errors.Is(err, ipvs.ErrNoService) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the destination: %v", err)
	}
}
