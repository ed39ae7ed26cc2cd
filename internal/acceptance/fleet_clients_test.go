package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A size is how many connections an audience has.
type size struct {
	old   int           // open before a fault
	young int           // opened around and after it
	pause time.Duration // between two lines of each
}

// few is for make test.
var few = size{18, 6, pause}

// An audience is connections to a virtual address: each sends a line again and again and
// waits for the answer, and meanwhile short ones are opened.
type audience struct {
	t       *testing.T
	net     *lab.Net
	address string
	size    size
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	held    []*member
	lost    []error // of held connections
	refused int     // short connections, and young ones
	opened  int     // short connections
	astray  int     // the router had no path at that moment: BFD of a starved machine
}

// A member is one connection of an audience.
type member struct {
	rounds atomic.Int64
	lost   atomic.Bool
}

// pause is the time between two short connections.
const pause = 100 * time.Millisecond

// newAudience opens the old connections, and begins with the short ones.
func newAudience(t *testing.T, n *lab.Net, address string, many size) *audience {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &audience{t: t, net: n, address: address, size: many, stop: stop}
	t.Cleanup(c.end)
	for range many.old {
		c.join(ctx)
	}
	c.settle("the old connections")
	c.work.Go(func() {
		for ctx.Err() == nil {
			conn, err := c.dial(ctx)
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
			c.count(ctx, err)
			time.Sleep(pause)
		}
	})
	return c
}

// dial opens a connection, and waits as long as the network loses its packets.
func (c *audience) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, eventually.Limit)
	defer cancel()
	return c.net.Dial(ctx, "client", "tcp", c.address)
}

func (c *audience) count(ctx context.Context, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.opened++
	case errors.Is(err, syscall.ECONNREFUSED):
		c.refused++
	case unreachable(err):
		c.astray++
	default:
		c.lost = append(c.lost, fmt.Errorf("a new connection: %w", err))
	}
}

func unreachable(err error) bool {
	return errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

// join opens one connection of an audience, which talks until the end.
func (c *audience) join(ctx context.Context) {
	c.t.Helper()
	m := &member{}
	c.mu.Lock()
	c.held = append(c.held, m)
	c.mu.Unlock()
	c.work.Go(func() {
		conn, err := c.dial(ctx)
		for err != nil && (errors.Is(err, syscall.ECONNREFUSED) || unreachable(err)) && ctx.Err() == nil { // as clients do
			c.count(ctx, err)
			time.Sleep(pause)
			conn, err = c.dial(ctx)
		}
		if err == nil {
			err = m.talk(ctx, conn, c.size.pause)
		}
		if ctx.Err() == nil {
			m.lost.Store(true)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.lost = append(c.lost, err)
		}
	})
}

// talk sends lines and waits for their answers, and returns the error that ends that.
func (m *member) talk(ctx context.Context, conn net.Conn, pause time.Duration) error {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	answers := bufio.NewReader(conn)
	for {
		if err := conn.SetDeadline(time.Now().Add(eventually.Limit)); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(conn, "hello"); err != nil {
			return err
		}
		line, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, "rs") {
			return fmt.Errorf("an answer of %q", line)
		}
		m.rounds.Add(1)
		time.Sleep(pause)
	}
}

// grow opens the young connections, one after another.
func (c *audience) grow() {
	c.t.Helper()
	for range c.size.young {
		c.join(c.t.Context())
		time.Sleep(pause)
	}
}

// during has something happen while the young connections are opened, or before if they are not to meet
// it, and returns how many connections live on, of how many, and how many were refused.
func (c *audience) during(what string, hazy bool, do func()) (alive, held, refused int) {
	c.t.Helper()
	young := make(chan struct{})
	grow := func() { defer close(young); c.grow() }
	if !hazy {
		go grow()
	}
	do()
	if hazy {
		grow()
	}
	<-young
	c.settle("the connections after: " + what)
	return c.result()
}

// settle waits until each connection that is not lost has had some more answers.
func (c *audience) settle(what string) {
	c.t.Helper()
	c.mu.Lock()
	held := append([]*member(nil), c.held...)
	c.mu.Unlock()
	before := make([]int64, len(held))
	for i, m := range held {
		before[i] = m.rounds.Load()
	}
	eventually.True(c.t, what, func() bool {
		for i, m := range held {
			if !m.lost.Load() && m.rounds.Load() < before[i]+3 {
				return false
			}
		}
		return true
	})
}

// result says how many of the held connections live, and how many were refused.
func (c *audience) result() (alive, held, refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.held {
		if !m.lost.Load() {
			alive++
		}
	}
	for _, err := range c.lost {
		c.t.Logf("lost: %v", err)
	}
	c.t.Logf("%d of %d connections live; of the short ones %d were opened, %d refused, %d without a route", alive, len(c.held), c.opened, c.refused, c.astray)
	return alive, len(c.held), c.refused
}

func (c *audience) end() {
	c.stop()
	c.work.Wait()
}
