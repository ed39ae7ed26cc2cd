package status

import (
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/director"
)

// Only is a snapshot of what is called virtual and real; "" is all.
func Only(snap *director.Snapshot, virtual, real string) *director.Snapshot {
	if virtual == "" && real == "" {
		return snap
	}
	only := *snap
	only.Virtuals = nil
	for _, v := range snap.Virtuals {
		if virtual != "" && !virtualCalled(v, virtual) {
			continue
		}
		if real != "" {
			v.Reals = slices.DeleteFunc(slices.Clone(v.Reals), func(r director.RealState) bool { return !realCalled(r, real) })
			if len(v.Reals) == 0 {
				continue
			}
		}
		only.Virtuals = append(only.Virtuals, v)
	}
	return &only
}

func virtualCalled(v director.VirtualState, name string) bool {
	return name == v.ID || name == v.Name || name == v.ServiceName
}

func realCalled(r director.RealState, name string) bool {
	return slices.Contains([]string{r.Name, r.At, host(r.Name), strings.Trim(host(r.Name), "[]"), r.Host}, name)
}

// host is an address without its port, as it is written.
func host(at string) string {
	if i := strings.LastIndexByte(at, ':'); i >= 0 {
		return at[:i]
	}
	return at
}
