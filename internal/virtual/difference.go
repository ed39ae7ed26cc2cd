package virtual

import (
	"fmt"
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// AsBelieved reports whether e, which the kernel has of v, is as believed, and no log line of
// a difference is to be taken back.
func (v *Service) AsBelieved(e *ipvs.Entry) bool {
	return len(v.External)+len(v.Logged) == 0 && v.Matches(e)
}

// Difference describes an external change that stays.
func (v *Service) Difference(at netip.AddrPort, h table.External, desired table.State) string {
	name := fmt.Sprintf("%s (%s)", at, v.Name)
	switch {
	case h.Absent:
		return "real server " + name + " was deleted by somebody else"
	case h.Role != table.Real:
		return fmt.Sprintf("%s was added by somebody else, weight %d", name, h.Weight)
	}
	w, _ := desired.Slots.Of(at)
	return fmt.Sprintf("real server %s has weight %d in the kernel, set by somebody else, instead of %d", name, h.Weight, w.Weight)
}
