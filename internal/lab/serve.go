package lab

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// Serve runs serve for each connection to l, and closes the connection when it returns. The end of
// the test closes l and all connections, and waits until each serve has returned. Serve returns the
// address of l.
func Serve(t testing.TB, l net.Listener, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// ServeAt is Serve at a TCP address: "127.0.0.1:0" is a free port.
func ServeAt(t testing.TB, address string, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return Serve(t, l, serve)
}
