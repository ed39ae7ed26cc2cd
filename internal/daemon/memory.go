package daemon

import (
	"os"
	"runtime"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

const (
	// From someServers real servers on, unneeded memory is handed back every
	// handBackInterval.
	someServers      = 1000
	handBackInterval = 15 * time.Second
	// From manyServers on, garbage may not grow to the size of the used heap, as is usual
	// in Go. One round of checks makes a third of that; collections per round cost little
	// and save a third of the memory. A burst above that, the verdicts of a mass failure,
	// is not delayed by collections: it may have the usual size until it is handed back.
	manyServers = 5000
	collections = 4
)

// A housekeeper saves memory while checks go on. It begins after the first round of
// checks: a start makes much garbage, and has to be quick.
type housekeeper struct {
	handedBack time.Time
}

// keep does the work that is due, and returns the time until the next call. The
// environment variable GOGC, if set, decides about collections instead.
func (h *housekeeper) keep(cfg *conf.Config) time.Duration {
	n := reals(cfg)
	switch now := time.Now(); {
	case n < someServers:
	case now.Sub(h.handedBack) >= handBackInterval:
		h.handedBack = now
		handBack()
	case n >= manyServers && os.Getenv("GOGC") == "":
		runtime.GC()
	}
	if n < manyServers {
		return handBackInterval
	}
	return min(cfg.CheckInterval/collections, handBackInterval)
}

// reals is how many real servers there are in all virtual services.
func reals(cfg *conf.Config) (n int) {
	for _, v := range cfg.Virtuals {
		n += len(v.Reals)
	}
	return n
}
