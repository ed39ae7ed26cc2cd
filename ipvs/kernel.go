package ipvs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
)

// answerLimit limits one call to the kernel. An answer takes microseconds, and some
// 100 ms when the kernel loads a scheduler's module for it.
const answerLimit = 5 * time.Second

// A Kernel is the table of the running kernel, in the network namespace of Open.
// Calls of several goroutines wait for each other.
type Kernel struct {
	dial  func() (link, error)
	limit time.Duration

	mu     sync.Mutex
	link   link // nil: the next use opens it
	closed bool
	writes atomic.Uint64
}

// A link is an open connection to the kernel's table. Its methods return the
// kernel's answer as a syscall.Errno. close may be called while another method is
// waiting; that method then returns an error.
type link interface {
	readEach(use func(*Entry)) error
	apply(Change) error
	// applyAll makes changes of destinations. After an error any of them may have
	// been made.
	applyAll([]Change) ([]error, error)
	// ask sends one request and passes each attribute of the answers to each.
	ask(flags int, cmd uint8, about []nl.NetlinkRequestData, each func(typ uint16, value []byte)) error
	// order sends a request that changes something beside the table.
	order(cmd uint8, about []nl.NetlinkRequestData) error
	close()
}

var _, _ Table = (*Kernel)(nil), (*Memory)(nil)

// Open verifies that the kernel has IPVS, loading its module if necessary, and that
// this process may change the table. ctx limits the loading. The error wraps
// errors.ErrUnsupported if there is no IPVS, fs.ErrPermission without the rights.
func Open(ctx context.Context) (*Kernel, error) {
	if err := load(ctx); err != nil {
		return nil, err
	}
	k := &Kernel{dial: dial, limit: answerLimit}
	var err error
	if k.link, err = dial(); err != nil {
		return nil, err
	}
	return k, nil
}

// Read implements Table. The order is that of ipvsadm -S -n. If other programs
// change the table at the same time, parts may be missing.
func (k *Kernel) Read() ([]Entry, error) {
	return collect(k.ReadEach)
}

// ReadEach implements the function of this name.
func (k *Kernel) ReadEach(use func(*Entry)) error {
	if err := k.use(func(l link) error { return l.readEach(use) }); err != nil {
		return fmt.Errorf("reading the IPVS table: %w", err)
	}
	return nil
}

// Apply implements Table. After "the kernel did not answer" the change may have
// been made or not: Read shows it.
func (k *Kernel) Apply(c Change) error {
	err := c.check()
	if err == nil {
		err = k.use(func(l link) error { return l.apply(c) })
	}
	if err != nil {
		return refuse(c, err)
	}
	k.writes.Add(1)
	return nil
}

// Writes counts the changes that the kernel has made. It may be called at any
// time.
func (k *Kernel) Writes() uint64 { return k.writes.Load() }

// Close implements Table. The table cannot be used afterwards.
func (k *Kernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.drop()
	return nil
}

// use calls op with the link, and opens the link first if necessary. After an error
// other than the kernel's answer the next use opens another one.
func (k *Kernel) use(op func(link) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return errClosed
	}
	if k.link == nil {
		l, err := k.dial()
		if err != nil {
			return err
		}
		k.link = l
	}
	err := bounded(k.limit, k.link, func() error { return op(k.link) })
	if err != nil && !isAnswer(err) {
		k.drop()
	}
	return err
}

// bounded runs op, which uses the link. moby/ipvs waits for an answer for ever:
// after the limit the link is closed under op, which ends it.
func bounded(limit time.Duration, l link, op func() error) error {
	watchdog := time.AfterFunc(limit, l.close)
	err := op()
	if !watchdog.Stop() {
		return fmt.Errorf("the kernel did not answer within %v", limit)
	}
	return err
}

func (k *Kernel) drop() {
	if k.link != nil {
		k.link.close()
		k.link = nil
	}
}

// isAnswer distinguishes the kernel's answer to a request from a failure of the
// socket, which may have lost answers.
func isAnswer(err error) bool {
	no, ok := errors.AsType[syscall.Errno](err)
	return ok && no != syscall.ENOBUFS && no != syscall.EAGAIN && no != syscall.EBADF && no != syscall.EINTR
}
