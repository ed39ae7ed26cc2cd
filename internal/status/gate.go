package status

import (
	"net"
	"sync"
)

// A gate is a listener that lets in so many clients at the same time, and knows
// who they are. The others wait outside, in the kernel.
type gate struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newGate(l net.Listener, most int) *gate {
	return &gate{Listener: l, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case g.slots <- struct{}{}:
	case <-g.closed:
		return nil, net.ErrClosed
	}
	conn, err := g.Listener.Accept()
	if err != nil {
		<-g.slots
		return nil, err
	}
	return &guest{Conn: conn, peer: peerOf(conn), leave: sync.OnceFunc(func() { <-g.slots })}, nil
}

// Close implements net.Listener.
func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

// A guest is a connection that came through a gate.
type guest struct {
	net.Conn
	peer  *peer
	leave func()
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}
