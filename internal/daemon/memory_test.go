package daemon

import (
	"runtime/debug"
	"testing"

	"ldirectord/conf"
)

func TestSaveMemory(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for _, tt := range []struct {
		reals int
		gogc  string
		want  int
	}{
		{0, "", 100}, {1250, "", 100}, {2500, "", 50}, {5000, "", 25}, {10_000, "", 16}, {100_000, "", 16}, {10, "", 100}, {5000, "200", 100},
	} {
		t.Setenv("GOGC", tt.gogc)
		cfg := &conf.Config{Virtuals: []*conf.VirtualService{{}, {Reals: make([]*conf.RealServer, tt.reals)}}}
		saveMemory(cfg)
		if got := debug.SetGCPercent(100); got != tt.want {
			t.Errorf("%d real servers, GOGC=%q: %d percent, want %d", tt.reals, tt.gogc, got, tt.want)
		}
	}
}
