//go:build long

package main

import (
	"testing"
	"time"
)

// TestLongStarved is TestStarved for ten minutes.
func TestLongStarved(t *testing.T) { testStarved(t, 10*time.Minute, 0) }

// TestLongStarvedAfterOthers is TestStarved for two minutes, with a daemon that gets
// what is left.
func TestLongStarvedAfterOthers(t *testing.T) { testStarved(t, 2*time.Minute, 19) }
