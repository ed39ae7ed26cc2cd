//go:build long

package checker_test

import "testing"

// TestLongRealTLS is TestRealTLS for every suite, certificate and group.
func TestLongRealTLS(t *testing.T) { compareTLS(t, func(narrowServer) bool { return true }) }
