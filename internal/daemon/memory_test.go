package daemon

import (
	"runtime"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

func TestHousekeeper(t *testing.T) {
	recently, never := time.Now(), time.Time{}
	for _, tt := range []struct {
		name       string
		reals      int
		gogc       string
		handedBack time.Time
		collected  bool
		again      time.Duration
	}{
		{"few", 999, "", never, false, handBackInterval},
		{"some", 1000, "", never, true, handBackInterval},
		{"some, handed back", 4999, "", recently, false, handBackInterval},
		{"many", 5000, "", never, true, time.Second},
		{"many, handed back", 5000, "", recently, true, time.Second},
		{"many, collected otherwise", 5000, "100", never, true, time.Second},
		{"many, collected otherwise, handed back", 5000, "100", recently, false, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOGC", tt.gogc)
			cfg := &conf.Config{Virtuals: []*conf.VirtualService{{}, {Reals: make([]*conf.RealServer, tt.reals)}}}
			cfg.CheckInterval = 4 * time.Second
			h := housekeeper{handedBack: tt.handedBack}
			before := collectionsForced()
			again := h.keep(cfg)
			if collected := collectionsForced() > before; collected != tt.collected {
				t.Errorf("collected: %t, want %t", collected, tt.collected)
			}
			if again != tt.again {
				t.Errorf("comes again after %v, want %v", again, tt.again)
			}
			if h.handedBack.IsZero() && tt.reals >= someServers {
				t.Error("nothing was handed back")
			}
		})
	}
}

func collectionsForced() uint32 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NumForcedGC
}
