package daemon

import (
	"os"
	"runtime"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

const (
	// someServers is from how many real servers on is handed back what only a moment
	// needed, every handBackInterval.
	someServers      = 1000
	handBackInterval = 15 * time.Second
	// manyServers is from how many on there may not be as much garbage as what is in
	// use, as usual in Go. To ask everybody once leaves a third as much, and
	// meanwhile it is collected so many times, which costs little then and saves a
	// third of the memory. What comes at once beyond that, the verdicts of a mass
	// failure, is not held up by collecting: there may be as much of it as usual,
	// until it is handed back.
	manyServers = 5000
	collections = 4
)

// A housekeeper saves memory while checks go on. It is not to come before
// everybody has been asked once: a start makes much garbage, and is to be quick.
type housekeeper struct {
	handedBack time.Time
}

// keep does what there is to do now, and says when it is to come again. Who says
// how garbage is collected with the environment variable GOGC has it that way.
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
