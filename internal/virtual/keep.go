package virtual

import (
	"slices"

	"github.com/ldirectord/ldirectord/conf"
)

const KeptWords = "stays in service: minalive"

// keeps reports whether a real server stays in service although its checks fail.
func (v *Service) Keeps(c *conf.RealServer) bool {
	return v.Conf.MinAlive.Of(len(v.Reals)) > 0 && slices.ContainsFunc(v.Reals, func(r *Real) bool { return r.Conf == c && r.Kept })
}

// carries reports whether the kernel sends r new connections.
func (v *Service) Carries(r *Real) bool {
	s, _ := v.Actual.Slots.Of(r.At())
	return s.Weight > 0
}
