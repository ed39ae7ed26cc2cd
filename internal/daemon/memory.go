package daemon

import (
	"os"
	"runtime"
	"time"

	"ldirectord/conf"
)

const (
	// manyServers is with how many real servers memory counts. With fewer there
	// may be as much garbage as what is in use, as usual in Go.
	manyServers = 1000
	// collections is how often garbage is collected while everybody is asked once,
	// which leaves a third of what is known of all as garbage. So often it costs
	// little, and saves a third of the memory. What comes at once beyond that, the
	// verdicts of a mass failure, is not held up by collecting: there may be as
	// much of it as usual, until it is handed back.
	collections = 4
	// handBackInterval is how often is handed back what only a moment needed.
	handBackInterval = 15 * time.Second
)

// A housekeeper saves memory while checks go on. It is not to come before
// everybody has been asked once: a start makes much garbage, and is to be quick.
type housekeeper struct {
	handedBack time.Time
}

// keep does what there is to do now, and says when it is to come again. Who says
// how garbage is collected with the environment variable GOGC has it that way.
func (h *housekeeper) keep(cfg *conf.Config) time.Duration {
	if reals(cfg) < manyServers {
		return handBackInterval
	}
	switch now := time.Now(); {
	case now.Sub(h.handedBack) >= handBackInterval:
		h.handedBack = now
		handBack()
	case os.Getenv("GOGC") == "":
		runtime.GC()
	}
	return cfg.CheckInterval / collections
}

// reals is how many real servers there are in all virtual services.
func reals(cfg *conf.Config) (n int) {
	for _, v := range cfg.Virtuals {
		n += len(v.Reals)
	}
	return n
}
