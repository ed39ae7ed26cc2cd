package status

import (
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/internal/report"
)

// Only is a snapshot of the entries named virtual and real; "" is all.
func Only(snap *report.Snapshot, virtual, real string) *report.Snapshot {
	if virtual == "" && real == "" {
		return snap
	}
	only := *snap
	only.Virtuals = nil
	for _, v := range snap.Virtuals {
		if virtual != "" && !report.VirtualCalled(v.ID, virtual, v.Written, v.ServiceName) {
			continue
		}
		if real != "" {
			v.Reals = slices.DeleteFunc(slices.Clone(v.Reals), func(r report.RealState) bool { return !realCalled(&r, real) })
			if len(v.Reals) == 0 {
				continue
			}
		}
		only.Virtuals = append(only.Virtuals, v)
	}
	return &only
}

// realCalled reports whether name means r: by a name that orders accept, or by its address
// in the kernel.
func realCalled(r *report.RealState, name string) bool {
	at, err := netip.ParseAddrPort(r.Name)
	return name == r.Name || name == r.At || err == nil && report.RealCalled(at, r.Host, name)
}
