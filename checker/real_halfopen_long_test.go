//go:build long

package checker_test

import "testing"

// TestLongRealHalfOpen is TestRealHalfOpen with 10,000 checks of each server.
func TestLongRealHalfOpen(t *testing.T) { checkHalfOpen(t, 10_000) }
