package perlre

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A patience limits the duration of a match that backtracks. The library gives up
// after a time by the clock, in which a busy machine may have given the match only
// little processor time: then it is retried with more time.
type patience struct {
	first time.Duration // by the clock; each further try has four times as much
	last  time.Duration // the limit of all tries
	cpu   time.Duration // processor time of one try that proves the pattern itself too slow

	used func() time.Duration // processor time of this thread
}

// matchPatience gives up a match after about a second of processor time. In 21 s,
// the sum of its tries, a thread gets less than cpu only if it has a twentieth of a
// processor.
var matchPatience = patience{first: time.Second, last: 16 * time.Second, cpu: 900 * time.Millisecond, used: threadTime}

// match returns the result of try within its limit. The error is errGivenUp, or
// wraps ErrBusy.
func (p patience) match(try func(limit time.Duration) (bool, error)) (bool, error) {
	runtime.LockOSThread() // the processor time is per thread
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

// ErrBusy means that a match got too little processor time for a result. It is no
// evidence about the text.
var ErrBusy = errors.New("this machine is too busy")

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
