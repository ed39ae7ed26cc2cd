package director

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// An outside is the directory and the resolver of a director. It outlives a killed
// director.
type outside struct {
	mu        sync.Mutex
	directory error // why the maintenance directory cannot be read
	resolver  error // why names cannot be looked up
	kept      state.Maintenance
}

// breakOutside makes the maintenance directory or the resolver fail with an error:
// maintenancedir|resolver WORDS..., or work again: "well".
func (s *stage) breakOutside(words []string) {
	s.outside.mu.Lock()
	defer s.outside.mu.Unlock()
	var err error
	if why := strings.Join(words[1:], " "); why != "well" {
		err = errors.New(why)
	}
	if words[0] == "resolver" {
		s.outside.resolver = err
	} else {
		s.outside.directory = err
	}
}

// maintenance is how the next director watches the outside.
func (s *stage) maintenance() maintenance.Options {
	o := &s.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	return maintenance.Options{
		NamesOf: func(_ context.Context, a netip.Addr) ([]string, error) {
			time.Sleep(10 * time.Millisecond) // so that the first look at the directory always comes before
			o.mu.Lock()
			defer o.mu.Unlock()
			return hostNames[a.String()], o.resolver
		},
		ReadDir: func(dir string) ([]string, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.directory != nil {
				return nil, o.directory
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				return nil, errors.Unwrap(err) // without the directory's name, which differs each time
			}
			var files []string
			for _, e := range entries {
				files = append(files, e.Name())
			}
			return files, nil
		},
		Kept: o.kept,
		Keep: func(m state.Maintenance) error {
			if s.dead.Load() {
				return nil
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			o.kept = m
			return nil
		},
	}
}

func (s *stage) showMaintenance(m *report.MaintenanceState) {
	if m == nil {
		return
	}
	if m.Error != "" {
		s.printf("show", "maintenance directory: %s", m.Error)
	}
	for _, f := range m.Unmatched {
		s.printf("show", "maintenance file %s: %s", f.Name, f.Why)
	}
}
