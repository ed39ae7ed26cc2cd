package status

import (
	"context"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// snapshotAge is how old a snapshot may be, so that any number of readers costs
// the director no more than one.
const snapshotAge = 500 * time.Millisecond

// snapshotTime is how long a director may take for a snapshot.
const snapshotTime = 10 * time.Second

// A source hands out snapshots, each to many.
type source struct {
	take func(context.Context) (*report.Snapshot, error)
	ctx  context.Context // of taking one, which no single request owns

	mu    sync.Mutex
	last  *report.Snapshot
	taken time.Time
}

// get is a snapshot that is not old.
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
