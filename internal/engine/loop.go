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

// A loop waits for many sockets at once, with one goroutine: what happens to
// them is handled in batches, and a check that waits costs no stack. It has an
// epoll of its own, which waits on Go's poller like any other descriptor: the
// goroutine never blocks a thread, and wakes up once for all that has happened.
type loop struct {
	kernel kernel
	pause  func() // the Engine's
	ended  chan struct{}

	mu      sync.Mutex
	epoll   int
	file    *os.File // epoll on Go's poller, nil until something has to be waited for
	closed  bool
	waiting []*conversation // by descriptor
	times   times           // of the same, the earliest first
	alarm   time.Time       // when the goroutine wakes up at the latest, zero is never
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
	// freely is how often in a span of time the loop looks as soon as something
	// has happened. After that it lets a breather pass before each look: with
	// thousands of sockets to wait for, as many wake-ups would cost half as much
	// again. A few checks are answered to without delay.
	freely   = 32
	span     = 50 * time.Millisecond
	breather = 500 * time.Microsecond
)

// run handles what happens until the loop is closed.
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
			if c := l.take(e.Fd); c != nil {
				c.stir()
			}
		}
		// Answers in time are processed before deadlines expire, however late this
		// is.
		if n < len(events) {
			for c := l.due(now); c != nil; c = l.due(now) {
				c.late(now)
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

// leave leaves c to the loop until something happens to its socket, or it is
// wake's time. c must not be touched any more.
func (l *loop) leave(c *conversation, events uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := c.socket
	switch {
	case l.closed:
		return context.Canceled
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	}
	if err := l.begin(); err != nil {
		return checker.LocalError{Err: err}
	}
	if errno := l.watch(s, events); errno != 0 {
		return checker.LocalError{Err: fmt.Errorf("waiting for a socket: %w", errno)}
	}
	for len(l.waiting) <= s.fd {
		l.waiting = append(l.waiting, make([]*conversation, 256)...)
	}
	l.waiting[s.fd] = c
	heap.Push(&l.times, c)
	l.wakeBy(c.wake)
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
		op = syscall.EPOLL_CTL_MOD // reports again events that came while no one waited
	}
	s.events, s.away = s.events|events, false
	return l.kernel.watch(l.epoll, op, s.fd, s.events|edges)
}

// edges is EPOLLET as the kernel has it; syscall's is negative.
const edges = 1 << 31

// take returns the conversation that waits for a descriptor and ends its wait, nil
// if there is none.
func (l *loop) take(fd int32) *conversation {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.waiting[fd]
	if c != nil {
		l.waiting[fd] = nil
		heap.Remove(&l.times, c.place)
	}
	return c
}

// due takes a conversation whose deadline has come, nil if there is none; then it
// sets the alarm for the next one.
func (l *loop) due(now time.Time) *conversation {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.times) > 0 && !l.times[0].wake.After(now) {
		c := heap.Pop(&l.times).(*conversation)
		l.waiting[c.socket.fd] = nil
		return c
	}
	if !l.alarm.IsZero() && !l.alarm.After(now) {
		l.alarm = time.Time{}
		if len(l.times) > 0 {
			l.wakeBy(l.times[0].wake)
		} else {
			_ = l.file.SetReadDeadline(time.Time{})
		}
	}
	return nil
}

// wakeBy sets the alarm, unless it is set for an earlier time. An alarm that is no
// longer needed is harmless.
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

// sweep ends those that wait and whose context has ended.
func (l *loop) sweep() { l.end(func(c *conversation) bool { return c.ctx.Err() != nil }) }

// close ends all conversations and the loop.
func (l *loop) close() {
	l.mu.Lock()
	running := l.file != nil && !l.closed
	l.closed = true
	l.mu.Unlock()
	if running {
		l.file.Close()
		<-l.ended
		l.end(func(*conversation) bool { return true })
	}
}

// end cancels the waiting conversations for which match returns true.
func (l *loop) end(which func(*conversation) bool) {
	l.mu.Lock()
	var list []*conversation
	for _, c := range l.times {
		if which(c) {
			list = append(list, c)
		}
	}
	for _, c := range list {
		l.waiting[c.socket.fd] = nil
		heap.Remove(&l.times, c.place)
	}
	l.mu.Unlock()
	for _, c := range list {
		c.attempts = 0
		c.left(context.Canceled)
	}
}

// times are conversations by the time when they are to go on, a heap.
type times []*conversation

// Len implements heap.Interface.
func (t times) Len() int { return len(t) }

// Less implements heap.Interface.
func (t times) Less(i, j int) bool { return t[i].wake.Before(t[j].wake) }

// Swap implements heap.Interface.
func (t times) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

// Push implements heap.Interface.
func (t *times) Push(x any) {
	c := x.(*conversation)
	c.place = len(*t)
	*t = append(*t, c)
}

// Pop implements heap.Interface.
func (t *times) Pop() any {
	last := len(*t) - 1
	c := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return c
}
