package checks

import (
	"unique"

	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// Kits are those that one load has made. The next load makes its own, so that a
// kit is gone with the last check that needs it.
type Kits map[unique.Handle[checkspec.Spec]]*virtual.Kit

// Of is the kit for a spec.
func (k Kits) Of(spec unique.Handle[checkspec.Spec]) *virtual.Kit {
	if k[spec] == nil {
		k[spec] = &virtual.Kit{Kit: checkspec.New(spec)}
	}
	return k[spec]
}
