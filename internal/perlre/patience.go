package perlre

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A patience says how long a match that backtracks may take. The library gives up after
// a time by the clock, in which a busy machine may have let the match compute for a
// moment only: it is tried again with more time then.
type patience struct {
	first time.Duration // by the clock; each further try has four times as much
	last  time.Duration // no try has more
	cpu   time.Duration // of the processor, in one try: the pattern itself takes too long

	used func() time.Duration // by this thread
}

// matchPatience gives up a match that computes for about a second. In 21 s, the sum of
// its tries, a thread gets less than cpu only if it has a twentieth of a processor.
var matchPatience = patience{first: time.Second, last: 16 * time.Second, cpu: 900 * time.Millisecond, used: threadTime}

// match returns what try finds within its limit. The error is errGivenUp, or wraps
// ErrBusy.
func (p patience) match(try func(limit time.Duration) (bool, error)) (bool, error) {
	runtime.LockOSThread() // whose time is measured
	defer runtime.UnlockOSThread()
	var waited time.Duration
	for limit := p.first; ; limit *= 4 {
		began := p.used()
		matched, err := try(limit)
		if err == nil {
			return matched, nil
		}
		waited += limit
		switch {
		case errors.Is(err, errGivenUp), p.used()-began >= p.cpu:
			return false, errGivenUp
		case limit*4 > p.last:
			return false, fmt.Errorf("is not judged after %v: %w", waited, ErrBusy)
		}
	}
}

// ErrBusy is that this host has let a match compute too little to be judged. It says
// nothing of the text.
var ErrBusy = errors.New("this machine is too busy")

// threadTime is the time that this thread has computed.
func threadTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
