package status

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// silent discards the log of net/http about clients.
var silent = log.New(io.Discard, "", 0)

// A place is the place of a door: an address and port, or the path of a socket.
type place struct {
	at    string
	group string // that owns the socket
	own   bool   // for the commands: every client may give orders
	reads bool   // for the commands of readers: every client may read, and none may give orders

	cert, key string // files of TLS, "" is plain text
}

func (p place) isPath() bool { return strings.HasPrefix(p.at, "/") }

// wanted are the places of a configuration.
func wanted(socket string, cfg *conf.Config) []place {
	var list []place
	if socket != "" {
		list = append(list, place{at: socket, group: cfg.StatusGroup, own: true})
		if cfg.StatusReadGroup != "" {
			list = append(list, place{at: wire.ReadersSocket(socket), group: cfg.StatusReadGroup, reads: true})
		}
	}
	if cfg.StatusListen != "" {
		p := place{at: cfg.StatusListen}
		if p.isPath() {
			p.group = cfg.StatusGroup
		} else {
			p.cert, p.key = cfg.StatusCert, cmp.Or(cfg.StatusKey, cfg.StatusCert)
		}
		list = append(list, p)
	}
	return list
}

// A door is a listener with the server behind it.
type door struct {
	place
	socket   *socketListener // nil: it is at an address
	refused  error           // why its group cannot use the socket
	listener *gate
	server   *http.Server
	done     chan struct{}
	secured  *certificate // nil: it speaks plain text
}

// reopen opens the doors at the places and closes all others. An open door stays open,
// unless its socket was removed. s.mu is held.
func (s *Server) reopen(places []place) {
	regroup(s.doors, places)
	var doors []*door
	for _, d := range s.doors {
		if slices.Contains(places, d.place) && d.there() {
			doors = append(doors, d)
		} else {
			d.close()
		}
	}
	s.faults = nil
	for _, p := range places {
		if slices.ContainsFunc(doors, func(d *door) bool { return d.place == p }) {
			continue
		}
		d, err := s.open(p)
		if err != nil {
			s.faults = append(s.faults, report.Fault{What: "status cannot be asked at " + p.at, Error: err.Error()})
			continue
		}
		doors = append(doors, d)
	}
	s.doors = doors
	for _, d := range doors {
		if d.refused != nil {
			s.faults = append(s.faults, report.Fault{What: "only the owner can use the socket " + d.at, Error: d.refused.Error()})
		}
	}
}

// there reports whether the door can still be found at its place.
func (d *door) there() bool { return d.socket == nil || d.socket.there() }

func (s *Server) open(p place) (*door, error) {
	var certificate *certificate
	if p.cert != "" {
		if certificate = newCertificate(p.cert, p.key); certificate.fault() != nil {
			return nil, certificate.fault()
		}
	}
	l, err := listen(p)
	if err != nil {
		return nil, err
	}
	d := &door{place: p, secured: certificate, listener: newGate(l), done: make(chan struct{})}
	if d.socket, _ = l.(*socketListener); p.isPath() && p.group != "" {
		d.refused = p.admit()
	}
	d.server = s.server(d)
	d.server.ConnState = d.listener.changed
	listener := certificate.over(d.listener)
	go func() {
		defer close(d.done)
		_ = d.server.Serve(listener) // ends by close
	}()
	return d, nil
}

// close ends the listener and every request.
func (d *door) close() {
	_ = d.server.Close()
	<-d.done
}

func listen(p place) (net.Listener, error) {
	if !p.isPath() {
		return net.Listen("tcp", p.at)
	}
	if err := makeRoom(p.at); err != nil {
		return nil, err
	}
	// No other user can connect before the permissions are set.
	private := p.at + ".new"
	if err := os.Remove(private); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: private, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	// Only a working socket replaces the file at the path.
	err = os.Chmod(private, 0o600)
	if err == nil {
		err = os.Rename(private, p.at)
	}
	if err != nil {
		l.Close()
		os.Remove(private)
		return nil, err
	}
	made, err := os.Stat(p.at)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &socketListener{Listener: l, path: p.at, made: made}, nil
}

// A socketListener removes its socket when it is closed, unless another has replaced it.
type socketListener struct {
	net.Listener
	path string
	made fs.FileInfo // the socket
}

// there reports whether the socket still exists.
func (l *socketListener) there() bool {
	now, err := os.Stat(l.path)
	return err == nil && os.SameFile(now, l.made)
}

// Close implements net.Listener.
func (l *socketListener) Close() error {
	if l.there() {
		os.Remove(l.path)
	}
	return l.Listener.Close()
}

// makeRoom makes the directory of a socket. It fails if another process serves the
// socket.
func makeRoom(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return errors.New("another process listens there")
	}
	return nil
}

// directive is the directive that names the group of the place.
func (p place) directive() string {
	if p.reads {
		return "statusreadgroup"
	}
	return "statusgroup"
}

// admit makes the socket of a place usable by its owner and its group, "" is none. After a
// failure only the owner has rights.
func (p place) admit() error {
	if err := admitGroup(p.at, p.group); err != nil {
		return fmt.Errorf("%s: %w", p.directive(), err)
	}
	return nil
}

// admitGroup makes a socket usable by its owner and a group, "" is none. After a failure
// only the owner has rights.
func admitGroup(path, group string) error {
	if err := os.Chmod(path, 0o600); err != nil || group == "" {
		return err
	}
	gid, err := account.Group(group)
	if err != nil {
		return fmt.Errorf("%s: %w", group, err)
	}
	if err := os.Chown(path, -1, int(gid)); err != nil { // without CAP_CHOWN
		return fmt.Errorf("%s: %w", group, err)
	}
	return os.Chmod(path, 0o660)
}

// regroup gives open sockets the groups of places, so that a change of the group closes
// no socket. It tries groups again that were refused before.
func regroup(doors []*door, places []place) {
	for _, d := range doors {
		for _, p := range places {
			if d.isPath() && p.at == d.at && p.own == d.own && p.reads == d.reads && (p.group != d.group || d.refused != nil) {
				d.place, d.refused = p, p.admit()
			}
		}
	}
}

// KnownGroup returns why a group cannot own a socket, nil if it can.
func KnownGroup(group string) error {
	if _, err := account.Group(group); err != nil {
		return fmt.Errorf("%s: %w", group, err)
	}
	return nil
}
