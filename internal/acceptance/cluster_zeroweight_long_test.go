//go:build long

package acceptance

import "testing"

// TestLongClusterZeroWeight is TestClusterZeroWeight for each scheduler that the
// lab's kernel has, and its flags.
func TestLongClusterZeroWeight(t *testing.T) {
	zeroWeight(t, []scheduling{
		{"rr", ""},
		{"wrr", ""},
		{"lc", ""},
		{"wlc", ""},
		{"sed", ""},
		{"nq", ""},
		{"fo", ""},
		{"ovf", ""},
		{"lblc", ""},
		{"lblcr", ""},
		{"dh", ""},
		{"sh", ""},
		{"sh", "sh-port"},
		{"sh", "sh-fallback"},
		{"sh", "flag-1"},
		{"mh", ""},
		{"mh", "mh-port"},
		{"mh", "mh-fallback"},
	}, []bool{false, true})
}
