package status

import (
	"container/list"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// How many connections a door has at the same time, and how many of them one
// peer may leave idle.
const (
	maxConnections = 256
	maxIdle        = 64
)

// A gate is a listener that always lets in the newest connection. One that is
// too many costs an older one: a peer that has its share loses its oldest idle
// connection; when all places are taken, whichever peer has most of them does.
// So clients that connect and say nothing keep no other client out.
type gate struct {
	net.Listener
	most, share int

	mu     sync.Mutex
	guests list.List      // of *guest, the oldest first
	count  map[string]int // by peer
}

func newGate(l net.Listener) *gate {
	return &gate{Listener: l, most: maxConnections, share: maxIdle, count: map[string]int{}}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &guest{Conn: conn, gate: g, peer: peerOf(conn), idle: true}
	c.from = c.name()
	if victim := g.admit(c); victim != nil {
		victim.Close()
	}
	return c, nil
}

// admit takes a connection in, and returns the one that it costs, nil if none.
func (g *gate) admit(c *guest) (victim *guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.count[c.from] >= g.share:
		victim = g.oldest(c.from, true)
	case g.guests.Len() >= g.most:
		victim = g.oldest(g.largest(), true)
	}
	if victim == nil && g.guests.Len() >= g.most {
		victim = g.oldest(g.largest(), false)
	}
	c.place = g.guests.PushBack(c)
	g.count[c.from]++
	if victim != nil {
		g.remove(victim)
	}
	return victim
}

// oldest is the oldest connection of a peer, or its oldest idle one.
func (g *gate) oldest(peer string, idle bool) *guest {
	for e := g.guests.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*guest); c.from == peer && (c.idle || !idle) {
			return c
		}
	}
	return nil
}

// largest is the peer with most connections.
func (g *gate) largest() (peer string) {
	most := 0
	for from, n := range g.count {
		if n > most {
			peer, most = from, n
		}
	}
	return peer
}

// remove takes a connection off the list, once.
func (g *gate) remove(c *guest) {
	if c.place == nil {
		return
	}
	g.guests.Remove(c.place)
	c.place = nil
	if g.count[c.from]--; g.count[c.from] == 0 {
		delete(g.count, c.from)
	}
}

// changed notes what an HTTP server says of a connection: until its first
// request has been read and between two requests it is idle.
func (g *gate) changed(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*guest)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c.idle = state == http.StateNew || state == http.StateIdle
}

// A guest is a connection that came through a gate.
type guest struct {
	net.Conn
	gate *gate
	peer *peer
	from string // who is at the other end, as far as shares go

	// gate.mu guards these.
	idle  bool
	place *list.Element // nil when it has left
}

// name is the address or the user at the other end.
func (c *guest) name() string {
	if c.peer != nil {
		return "user " + strconv.FormatUint(uint64(c.peer.uid), 10)
	}
	return clientOf(c.RemoteAddr().String())
}

// Close implements net.Conn.
func (c *guest) Close() error {
	c.gate.mu.Lock()
	c.gate.remove(c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
