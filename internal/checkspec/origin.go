package checkspec

import (
	"context"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/origin"
)

// placed is c with k's origin. A Talker stays a Talker, a Caller a Caller.
func (k *Kit) placed(c checker.Checker) checker.Checker {
	if k.from == nil {
		return c
	}
	switch c := c.(type) {
	case checker.Talker:
		return talkerFrom{c, k.from}
	case checker.Caller:
		return callerFrom{c, k.from}
	}
	return c
}

type talkerFrom struct {
	checker.Talker
	from *origin.Origin
}

// Target implements checker.Talker.
func (t talkerFrom) Target() checker.Target {
	target := t.Talker.Target()
	target.From = t.from
	return target
}

type callerFrom struct {
	checker.Caller
	from *origin.Origin
}

// Check implements checker.Caller.
func (c callerFrom) Check(ctx context.Context) (string, error) {
	return c.Caller.Check(origin.With(ctx, c.from))
}
