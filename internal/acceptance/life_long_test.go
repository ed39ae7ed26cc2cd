//go:build long

package acceptance

import (
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLongVariants lives through every death with each variant.
func TestLongVariants(t *testing.T) {
	liveThrough(t, func(_ lab.Mode, v variant) []death { return v.deaths })
}
