package status

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// A peer is the user at the other end of a unix socket, from the kernel.
type peer struct{ uid uint32 }

type (
	peerKey struct{}
	connKey struct{}
)

// withPeer notes in a connection's context who is at its other end, and the connection.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	g, ok := guestOf(conn)
	if !ok {
		return ctx
	}
	if g.peer != nil {
		ctx = context.WithValue(ctx, peerKey{}, *g.peer)
	}
	if c, ok := g.Conn.(syscall.Conn); ok {
		ctx = context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// hungUp reports whether the client of a request has ended its connection. net/http
// finds that out too, but later than it reads the request.
func hungUp(r *http.Request) bool {
	c, ok := r.Context().Value(connKey{}).(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	ended := false
	err = raw.Control(func(fd uintptr) {
		list := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(list, 0)
		ended = err == nil && n > 0
	})
	return ended || err != nil
}

// peerOf is the peer of a connection, nil if it is no unix socket.
func peerOf(conn net.Conn) *peer {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var p *peer
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			p = &peer{uid: cred.Uid}
		}
	})
	return p
}

// caller is the sender of an order, as the log, the history and all readers have it: the user
// at a unix socket, or the address from which the token came.
func caller(r *http.Request) string {
	p, ok := r.Context().Value(peerKey{}).(peer)
	if !ok {
		return "operator with statustoken from " + r.RemoteAddr
	}
	name := strconv.FormatUint(uint64(p.uid), 10)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	if who := r.Header.Get(wire.SudoHeader); who != "" && p.uid == 0 && isName(who) {
		name = fmt.Sprintf("%s (%s by sudo)", who, name)
	}
	return name
}

// isName reports whether s can be the name of a user, and is safe in a log.
func isName(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' || r == '(' || r == ')' {
			return false
		}
	}
	return len(s) <= 32
}
