package status

import (
	"context"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// snapshotAge is the greatest age of a snapshot, so that any number of readers costs the
// director no more than one.
const snapshotAge = 500 * time.Millisecond

// snapshotTime bounds the time that a director takes for a snapshot.
const snapshotTime = 10 * time.Second

// A source gives each snapshot to many readers.
type source struct {
	take func(context.Context) (*report.Snapshot, error)
	ctx  context.Context // of a snapshot, which belongs to no single request

	mu    sync.Mutex
	last  *report.Snapshot
	taken time.Time
}

// get returns a snapshot, at most snapshotAge old.
func (s *source) get() (*report.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && time.Since(s.taken) < snapshotAge {
		return s.last, nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, snapshotTime)
	defer cancel()
	snap, err := s.take(ctx)
	if err != nil {
		return nil, err
	}
	s.last, s.taken = snap, time.Now()
	return snap, nil
}

// forget makes the next snapshot a new one.
func (s *source) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = nil
}
