package notify

import (
	"sync"

	"github.com/ldirectord/ldirectord/conf"
)

// A standby leaves mails and hooks to the director that has the virtual address (notify = active).
type standby struct {
	log  func(format string, args ...any)
	here func(*conf.VirtualService) bool // nil: every address is here

	mu   sync.Mutex
	on   bool
	left map[string]bool // the virtual services whose last event was left to another director, by ID
}

// use applies the configuration.
func (s *standby) use(cfg *conf.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on = cfg.NotifyActive; !s.on {
		clear(s.left)
	}
}

// leaves reports whether an event of v is for another director, and logs it when that changes.
func (s *standby) leaves(v *conf.VirtualService) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.on || s.here == nil {
		return false
	}
	id, leaves := v.ID(), !s.here(v)
	if leaves == s.left[id] {
		return leaves
	}
	if s.left == nil {
		s.left = map[string]bool{}
	}
	s.left[id] = leaves
	if leaves {
		s.log(lineLeaves, id)
	} else {
		delete(s.left, id)
		s.log(lineReturns, id)
	}
	return leaves
}
