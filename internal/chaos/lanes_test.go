package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// Lanes are parts of a millisecond. What may happen at the same moment as
// something else, and would then come first or second by chance, happens in a lane
// of its own: events at the full millisecond, a start and each second of the
// director after it, the first look at the table and the maintenance directory's
// after it, each reload and the directory's after it, each real server's answer.
// The looks of driftcheck move by some nanoseconds each time.
const (
	started   = 100 * time.Microsecond
	tableRead = 150 * time.Microsecond
	loaded    = 200 * time.Microsecond // and up to 99 more
	kept      = 400 * time.Microsecond
	named     = 450 * time.Microsecond
	answered  = 500 * time.Microsecond
)

// await sleeps until the lane's next moment.
func (s *stage) await(lane time.Duration) {
	now := time.Now()
	next := now.Truncate(time.Millisecond).Add(lane)
	if !next.After(now) {
		next = next.Add(time.Millisecond)
	}
	time.Sleep(next.Sub(now))
}

// record adds a line to the log, if there is one. It has a lock of its own:
// callers may hold s.mu or not.
func (s *stage) record(format string, args ...any) {
	if !s.logs {
		return
	}
	line := time.Now().Format("15:04:05.000000000 ") + strings.ReplaceAll(fmt.Sprintf(format, args...), s.dir, "/maintenance")
	s.logMu.Lock()
	defer s.logMu.Unlock()
	s.log = append(s.log, line)
	if *chaosLog {
		s.t.Log(line)
	}
}

// A seed plays the same events again, to the nanosecond and with the same answers
// of the director.
func TestSeed(t *testing.T) {
	for seed := range uint64(3) {
		var logs [2][]string
		for i := range logs {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, newWorld(), ipvs.NewMemory(), seed)
				s.logs = true
				s.play(run / 2)
				logs[i] = append(s.log, s.wrong...)
			})
		}
		if slices.Equal(logs[0], logs[1]) {
			continue
		}
		at := 0
		for at < min(len(logs[0]), len(logs[1])) && logs[0][at] == logs[1][at] {
			at++
		}
		for i, log := range logs {
			t.Errorf("seed %d, play %d: line %d of %d: %q", seed, i, at, len(log), log[max(0, at-3):min(len(log), at+4)])
		}
	}
}
