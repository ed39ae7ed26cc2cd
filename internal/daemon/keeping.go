package daemon

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/report"
)

// A logger writes a line to the log.
type logger = func(format string, args ...any)

// A keeping is whether a file can be written. One line of the log has the first failure at
// once, and another one its end.
type keeping struct {
	what   string // what is so if it cannot
	log    logger
	failed atomic.Pointer[error] // why the last write failed; nil if it did not
}

// ended takes the result of a write.
func (k *keeping) ended(err error) {
	if err == nil {
		if k.failed.Swap(nil) != nil {
			k.log(logfile.OutsideMended, k.what)
		}
		return
	}
	if k.failed.Swap(&err) == nil {
		k.broken(err)
	}
}

func (k *keeping) broken(err error) {
	k.log(logfile.OutsideBroken, strings.ToUpper(k.what[:1])+k.what[1:], err)
}

func (k *keeping) fails() bool { return k.failed.Load() != nil }

// faults are those of the last write.
func (k *keeping) faults() []report.Fault {
	err := k.failed.Load()
	if err == nil {
		return nil
	}
	return []report.Fault{{What: k.what, Error: (*err).Error(), Logged: true}}
}

// last waits for the last write, done, for at most historyPatience.
func (k *keeping) last(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(historyPatience):
		k.broken(errors.New("the disk does not answer"))
	}
}
