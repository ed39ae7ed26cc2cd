package director

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/schedule"
)

// A check asks one question of one real server, in the name of all virtual
// services that ask the same.
type check struct {
	kit  *kit
	at   netip.AddrPort // who is asked
	ask  checker.Checker
	rare *rarity // nil is none
	job  schedule.Job

	certificateEnds atomic.Int64 // Unix seconds, 0 is unknown

	// Owned by the director's goroutine.
	unheard   bool    // it has not answered since the start or reload that made it
	paced     bool    // its interval was set at least once
	users     []*real // in the order of the file; not to be written to
	neighbour *check  // the next one at the same address, in a ring; see neighbours
	past      record.Log
}

// A rarity is what few checks need.
type rarity struct {
	connect  checker.Checker // between two full questions (checktype = N), else nil
	connects int32           // left until the full question's turn; owned by the runs, which never overlap

	// Of what may take long to end by itself, an external command or a library;
	// else nil.
	ctx    context.Context
	cancel context.CancelFunc
}

// key is the identity of c.
func (c *check) key() checkspec.Key { return checkspec.Key{Spec: c.kit.Handle, At: c.at} }

// leave ends the asking of a check that nobody asks for any more.
func (c *check) leave() {
	if c.rare != nil && c.rare.cancel != nil {
		c.rare.cancel()
	}
}

// turn chooses what is asked next: with checktype = N that many connects
// follow a good answer, and whatever fails is followed by the full question.
func (c *check) turn(ok bool) {
	switch r := c.rare; {
	case r == nil || r.connect == nil:
	case !ok:
		r.connects = 0
	case r.connects > 0:
		r.connects--
	default:
		r.connects = int32(c.kit.Combined)
	}
}

// pace is how long from one asking to the next: the users of a check share
// their intervals, so that the state of the whole decides.
func (c *check) pace() time.Duration {
	failing, out := false, true
	for _, r := range c.users {
		failing = failing || r.Verdict == policy.Up && r.Failures > 0 || r.Verdict == policy.Down && r.Successes > 0
		out = out && r.Verdict == policy.Down
	}
	switch {
	case failing && c.kit.FastInterval > 0:
		return c.kit.FastInterval
	case out && c.kit.DownInterval > 0:
		return c.kit.DownInterval
	default:
		return c.kit.CheckInterval
	}
}
