//go:build long

package replay

import "testing"

// TestLongFiles plays all sessions about what a file means.
func TestLongFiles(t *testing.T) { play(t, "file", all) }
