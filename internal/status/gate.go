package status

import (
	"container/list"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// The limits of a door: its connections, and the idle connections of one peer.
const (
	maxConnections = 256
	maxIdle        = 64
)

// A gate is a listener that always accepts the newest connection. Above a limit it closes
// an older one: the oldest idle connection of a peer that has its share, or at the limit of
// the door the oldest of the peer with most connections. So idle clients keep no other
// client out.
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

// admit adds a connection, and returns the one to close for it, nil if none.
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

// remove removes a connection from the list, once.
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

// changed records a state of the HTTP server: a connection is idle before its first
// request has been read, and between two requests.
func (g *gate) changed(conn net.Conn, state http.ConnState) {
	c, ok := guestOf(conn)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c.idle = state == http.StateNew || state == http.StateIdle
}

// A guest is a connection of a gate.
type guest struct {
	net.Conn
	gate *gate
	peer *peer
	from string // the peer, for the shares

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
