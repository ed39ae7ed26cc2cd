package engine

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// A loop waits for many sockets at once, with one goroutine: it handles their events
// in groups, and a waiting check costs no stack. Its epoll is a descriptor on Go's
// poller: the goroutine never blocks a thread, and wakes up once for many events.
type loop struct {
	kernel kernel
	pause  func() // the Engine's
	ended  chan struct{}

	mu      sync.Mutex
	epoll   int
	file    *os.File // epoll on Go's poller, nil before the first wait
	closed  bool
	waiting []*run    // by descriptor
	times   times     // of the same, the earliest first
	alarm   time.Time // when the goroutine wakes up at the latest, zero is never
}

// begin starts the loop, unless it runs.
func (l *loop) begin() error {
	if l.file != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("opening an epoll: %w", err)
	}
	_ = syscall.SetNonblock(fd, true) // or Go's poller would not have it
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return err
	}
	l.epoll, l.file, l.ended = fd, file, make(chan struct{})
	go l.run(raw)
	return nil
}

const (
	// freely is how often in a span of time the loop handles events without delay.
	// After that it lets a breather pass each time: with thousands of sockets, a
	// wake-up for each event would cost half as much again. A few checks never meet
	// that.
	freely   = 32
	span     = 50 * time.Millisecond
	breather = 500 * time.Microsecond
)

// run handles events until the loop is closed.
func (l *loop) run(raw syscall.RawConn) {
	defer close(l.ended)
	events := make([]syscall.EpollEvent, 256)
	var began time.Time // the present span
	looks := 0
	var now time.Time
	n := 0
	lookNow := func(fd uintptr) bool {
		now = time.Now()
		n = l.kernel.lookEpoll(int(fd), events)
		return n > 0
	}
	for {
		n = 0
		switch err := raw.Read(lookNow); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			lookNow(uintptr(l.epoll)) // a deadline has come
		case err != nil:
			return // it was closed
		}
		for _, e := range events[:n] {
			if r := l.take(e.Fd); r != nil {
				r.onEvent()
			}
		}
		// Answers in time are processed before deadlines expire, however late this
		// is.
		if n < len(events) {
			for r := l.due(now); r != nil; r = l.due(now) {
				r.onTime(now)
			}
		}
		l.pause()
		if looks++; now.Sub(began) > span {
			began, looks = now, 0
		}
		if looks > freely {
			time.Sleep(breather)
		}
	}
}

// leave leaves r to the loop until its socket has an event or the time of its wait
// has come. r must not be touched any more.
func (l *loop) leave(r *run, events uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := r.conn.socket
	switch {
	case l.closed:
		return context.Canceled
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	}
	if err := l.begin(); err != nil {
		return checker.LocalError{Err: err}
	}
	if errno := l.watch(s, events); errno != 0 {
		return checker.LocalError{Err: fmt.Errorf("waiting for a socket: %w", errno)}
	}
	for len(l.waiting) <= s.fd {
		l.waiting = append(l.waiting, make([]*run, 256)...)
	}
	l.waiting[s.fd] = r
	heap.Push(&l.times, r)
	l.wakeBy(r.wait.until)
	return nil
}

// watch registers events with the kernel, unless they are registered.
func (l *loop) watch(s *socket, events uint32) syscall.Errno {
	op := syscall.EPOLL_CTL_ADD
	switch {
	case s.events == 0:
	case events&^s.events == 0 && !s.away:
		return 0
	default:
		op = syscall.EPOLL_CTL_MOD // reports events again that came between two waits
	}
	s.events, s.away = s.events|events, false
	return l.kernel.watch(l.epoll, op, s.fd, s.events|edges)
}

// edges is EPOLLET as the kernel has it; syscall's is negative.
const edges = 1 << 31

// take returns the run that waits for a descriptor and ends its wait, nil if there
// is none.
func (l *loop) take(fd int32) *run {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.waiting[fd]
	if r != nil {
		l.waiting[fd] = nil
		heap.Remove(&l.times, r.wait.index)
	}
	return r
}

// due takes a run whose time has come, nil if there is none; then it sets the alarm
// for the next one.
func (l *loop) due(now time.Time) *run {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.times) > 0 && !l.times[0].wait.until.After(now) {
		r := heap.Pop(&l.times).(*run)
		l.waiting[r.conn.socket.fd] = nil
		return r
	}
	if !l.alarm.IsZero() && !l.alarm.After(now) {
		l.alarm = time.Time{}
		if len(l.times) > 0 {
			l.wakeBy(l.times[0].wait.until)
		} else {
			_ = l.file.SetReadDeadline(time.Time{})
		}
	}
	return nil
}

// wakeBy sets the alarm, unless it is set for an earlier time. A superfluous
// alarm is harmless.
func (l *loop) wakeBy(t time.Time) {
	if l.alarm.IsZero() || t.Before(l.alarm) {
		l.alarm = t
		_ = l.file.SetReadDeadline(t) // fails only when it is closed
	}
}

// release lets go of a socket for good.
func (l *loop) release(s *socket) {
	if s.events != 0 {
		_ = l.kernel.watch(l.epoll, syscall.EPOLL_CTL_DEL, s.fd, 0) // it is there
		s.events = 0
	}
}

// sweep ends the waiting runs whose context has ended.
func (l *loop) sweep() { l.end(func(r *run) bool { return r.ctx.Err() != nil }) }

// close ends all waiting runs and the loop.
func (l *loop) close() {
	l.mu.Lock()
	running := l.file != nil && !l.closed
	l.closed = true
	l.mu.Unlock()
	if running {
		l.file.Close()
		<-l.ended
		l.end(func(*run) bool { return true })
	}
}

// end cancels the waiting runs for which match returns true.
func (l *loop) end(match func(*run) bool) {
	l.mu.Lock()
	var list []*run
	for _, r := range l.times {
		if match(r) {
			list = append(list, r)
		}
	}
	for _, r := range list {
		l.waiting[r.conn.socket.fd] = nil
		heap.Remove(&l.times, r.wait.index)
	}
	l.mu.Unlock()
	for _, r := range list {
		r.attempts = 0
		r.endConnection(context.Canceled)
	}
}

// times are the waiting runs by the end of their wait, a heap.
type times []*run

// Len implements heap.Interface.
func (t times) Len() int { return len(t) }

// Less implements heap.Interface.
func (t times) Less(i, j int) bool { return t[i].wait.until.Before(t[j].wait.until) }

// Swap implements heap.Interface.
func (t times) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].wait.index, t[j].wait.index = i, j
}

// Push implements heap.Interface.
func (t *times) Push(x any) {
	r := x.(*run)
	r.wait.index = len(*t)
	*t = append(*t, r)
}

// Pop implements heap.Interface.
func (t *times) Pop() any {
	last := len(*t) - 1
	r := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return r
}
