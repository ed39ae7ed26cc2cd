//go:build long

package acceptance

import "testing"

// TestLongNothingIsWritten starts over in every way in each state of the table.
func TestLongNothingIsWritten(t *testing.T) { nothingIsWritten(t, overs, overs, overs) }
