package director

import (
	"slices"
	"time"
)

// keptTurns is how many changes of the verdict are remembered of each real
// server.
const keptTurns = 32

// A Turn is a change of the verdict on a real server.
type Turn struct {
	Time time.Time
	Up   bool
}

// turns are the last ones and how many there ever were; nil is none.
type turns struct {
	last  []turn // from the oldest on
	total uint64

	outSince time.Time // since when maintenance lasts; meaningful while it does
}

// A turn is when a verdict changed, in Unix nanoseconds; less than 0 if it
// became down.
type turn int64

func (t *turns) add(e Event, now time.Time) {
	if len(t.last) == keptTurns {
		t.last = slices.Delete(t.last, 0, 1)
	}
	n := turn(now.UnixNano())
	if e.Kind != Back {
		n = -n
	}
	t.last = append(t.last, n)
	t.total++
}

// count is how many turns there ever were.
func (t *turns) count() uint64 {
	if t == nil {
		return 0
	}
	return t.total
}

// list is the last turns, from the oldest on.
func (t *turns) list() []Turn {
	if t == nil {
		return []Turn{}
	}
	list := make([]Turn, 0, len(t.last))
	for _, n := range t.last {
		list = append(list, Turn{Time: time.Unix(0, int64(max(n, -n))), Up: n > 0})
	}
	return list
}
