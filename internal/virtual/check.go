package virtual

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/schedule"
)

// A Check is one repeated check of one real server, for all virtual services with
// an equal check.
type Check struct {
	Kit  *Kit
	At   netip.AddrPort // the checked address
	Ask  checker.Checker
	Rare *Rarity // nil is none
	Job  schedule.Job

	CertificateEnds atomic.Int64 // Unix seconds, 0 is unknown

	// Owned by the director's goroutine.
	Unfinished bool    // it has not finished since the start or reload that made it
	Paced      bool    // its interval was set at least once
	Users      []*Real // in the order of the file; not to be written to
	Neighbour  *Check  // the next one at the same address, in a ring; see neighbours
	Past       record.Log
}

// A Rarity is what few checks need.
type Rarity struct {
	Connect  checker.Checker // between two full checks (checktype = N), else nil
	Connects int32           // left until the next full check; owned by the runs, which never overlap
	Asked    policy.Asked    // owned by the director's goroutine

	// Of what may take long to end by itself, an external command or a library;
	// else nil.
	Ctx    context.Context
	Cancel context.CancelFunc
}

// Key is the identity of c.
func (c *Check) Key() checkspec.Key { return checkspec.Key{Spec: c.Kit.Handle, At: c.At} }

// Leave ends a check without users.
func (c *Check) Leave() {
	if c.Rare != nil && c.Rare.Cancel != nil {
		c.Rare.Cancel()
	}
}

// ChooseNext chooses the next check: with checktype = N that many connects
// follow a good answer, and whatever fails is followed by the full question.
func (c *Check) ChooseNext(ok bool) {
	switch r := c.Rare; {
	case r == nil || r.Connect == nil:
	case !ok:
		r.Connects = 0
	case r.Connects > 0:
		r.Connects--
	default:
		r.Connects = int32(c.Kit.Combined)
	}
}

// Pace returns the interval of the check: the users of a check share
// their intervals, so that the state of the whole decides.
func (c *Check) Pace() time.Duration {
	failing, out := false, true
	for _, r := range c.Users {
		t, _ := TallyOf(r, c)
		isUp := t.Verdict == policy.Up || SeveralOf(r) == nil && r.WouldBeUp()
		failing = failing || isUp && t.Failures > 0 || !isUp && t.Verdict == policy.Down && t.Successes > 0
		out = out && t.Verdict == policy.Down && !isUp
	}
	switch {
	case failing && c.Kit.FastInterval > 0:
		return c.Kit.FastInterval
	case out && c.Kit.DownInterval > 0:
		return c.Kit.DownInterval
	default:
		return c.Kit.CheckInterval
	}
}

// Expires notes when the certificate of the real server ends. It may be called from any
// goroutine.
func (c *Check) Expires(at time.Time) { c.CertificateEnds.Store(at.Unix()) }

// Place is the place in the file of the first real server that c is for, 0 if it is for
// none any more.
func (c *Check) Place() uint64 {
	if len(c.Users) == 0 {
		return 0
	}
	r := c.Users[0]
	return uint64(r.Virtual.Order)<<32 | uint64(r.Order)
}

// A Kit is what checks of one spec share here: what checkers are made of, and the
// words of those that are up.
type Kit struct {
	*checkspec.Kit
	Usual record.Usual // the director's goroutine's
}

// Key is the identity of the check of r, of several the first. It is false if there is none
// (checktype on and off).
func (r *Real) Key() (checkspec.Key, bool) {
	at, ok := checkspec.At(own(r), r.Conf)
	return checkspec.Key{Spec: r.Spec, At: at}, ok
}

// KeyOf is the identity of one of several checks of r, likewise.
func KeyOf(r *Real, p *Part) (checkspec.Key, bool) {
	at, ok := checkspec.At(p.As, r.Conf)
	return checkspec.Key{Spec: p.Spec, At: at}, ok
}

// HideResult takes the secrets out of a result: some servers
// repeat in their answers the text of the request.
func (k *Kit) HideResult(res *engine.Result) {
	res.Detail = k.Secrets.Hide(res.Detail)
	if res.Err == nil {
		return
	}
	text := res.Err.Error()
	if hidden := k.Secrets.Hide(text); hidden != text {
		res.Err = errors.New(hidden)
	}
}
