//go:build long

package acceptance

import "testing"

// TestLongThousandAddresses is TestManyAddresses with a thousand.
func TestLongThousandAddresses(t *testing.T) { manyAddresses(t, 1000) }
