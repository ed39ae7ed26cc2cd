// Package status is the server of a running director: it answers queries and passes orders
// on, over a unix socket for ldirectord's own commands, and over HTTP at statuslisten, as a
// page, as metrics and as JSON. All of it renders report.Snapshot and report.Note; no
// reader can delay a check.
package status

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// A Director is what a Server reads from and sends orders to: a *director.Director.
// All methods may be called from any goroutine.
type Director interface {
	Alive() error // does not block
	Overrides() []report.Override
	Snapshot(context.Context) (*report.Snapshot, error)
	History(context.Context, report.HistoryQuery) ([]report.Note, error)
	Why(ctx context.Context, name, virtual string) ([]report.Reason, error)
	Recheck(ctx context.Context, name, virtual string) (report.Recheck, error)
	Obey(context.Context, report.Order) (obeyed, all []report.Override, err error)
}

// Options are the parts and settings of a Server. Director and Log are required.
type Options struct {
	Director Director
	Version  string
	Log      func(format string, args ...any) // lines of ldirectord.log

	Socket    string // for the commands; "" is none
	File      string // the configuration file; requests about another one are refused. "" refuses none
	DryRun    bool   // the table is in memory: every answer is marked, and no order is accepted
	Overrides string // the file of the overrides; "" is none

	// Plan returns what a reload would change in the kernel.
	Plan func(context.Context) (report.Plan, error)
	// Doctor returns the findings of the doctor on this host, as JSON.
	Doctor func(context.Context) (json.RawMessage, error)
	// Connections are the kernel's, in any order; nil if they are not known.
	Connections func() iter.Seq2[wire.Connection, error]
	// Outside returns the faults of the daemon's sockets and files; nil is none.
	Outside func() []report.Fault
	// Served returns which virtual addresses are served, without waiting.
	Served func() ([]report.AddressState, error)
	// Beside returns the kernel's state beside the table; nil is none.
	Beside func() *report.Beside
	// Notify returns where mails and hooks are sent from with notify = active; nil is none.
	Notify func() []report.NotifyState
	// Queues are the queues of logs and notifications.
	Queues func() []Queue
}

// A Queue is a bounded queue.
type Queue struct {
	Name    string
	Waiting int
	Dropped uint64
}

// A Server serves one director. Its methods may be called from any goroutine.
type Server struct {
	o      Options
	source *source
	feed   *feed
	page   *page
	zips   zips
	book   *book
	saver  *saver
	tries  *tries
	tokens *tokenFiles
	fleet  *fleetView
	stop   context.CancelFunc

	reloads        atomic.Uint64 // successful ones
	failedReloads  atomic.Uint64
	lastReloadFail atomic.Bool

	mu      sync.Mutex
	cfg     *conf.Config
	doors   []*door
	faults  []report.Fault // of doors that could not be opened
	closing bool
}

// New returns a Server that listens nowhere until Use.
func New(o Options) *Server {
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{o: o, feed: newFeed(), book: newBook(o.Overrides, o.Director.Overrides), tries: newTries(o.Log), tokens: &tokenFiles{log: o.Log}, stop: stop}
	s.source = &source{take: s.snapshot, ctx: ctx}
	s.fleet = &fleetView{ask: askFleet, ctx: ctx}
	s.zips = make(zips, maxZips)
	s.saver = newSaver(s.book)
	s.page = &page{source: s.source, history: o.Director.History, version: o.Version, build: buildOf(o.Version)}
	return s
}

// Event sends an event to the streams. It is part of a director's Sink and does not
// block.
func (s *Server) Event(e event.Event) {
	if !e.Kind.Silent() {
		s.page.news.Store(true)
		s.feed.tell(report.NoteOf(e))
	}
}

// Reloaded counts a reload by whether it succeeded.
func (s *Server) Reloaded(ok bool) {
	if ok {
		s.reloads.Add(1)
	} else {
		s.failedReloads.Add(1)
	}
	s.lastReloadFail.Store(!ok)
}

// snapshot is the director's, with the faults outside.
func (s *Server) snapshot(ctx context.Context) (*report.Snapshot, error) {
	snap, err := s.o.Director.Snapshot(ctx)
	if cfg := s.config(); err == nil && cfg != nil {
		snap.Program = report.Program{Version: s.o.Version, Configuration: cfg.Fingerprint()}
	}
	if err == nil && s.o.Outside != nil {
		snap.Outside = s.o.Outside()
	}
	if err == nil && s.o.Beside != nil {
		snap.Beside = s.o.Beside()
	}
	if err == nil && s.o.Notify != nil {
		snap.Notify = s.o.Notify()
	}
	return snap, err
}

// KeepOverrides writes down the overrides in force, as after the end of an override. It
// does not block, and may not be called after Close.
func (s *Server) KeepOverrides() { s.saver.want() }

// Use opens the listeners of cfg. Mend tries those again that cannot be opened: a missing
// page does not stop the balancing of load.
func (s *Server) Use(cfg *conf.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.cfg = cfg
	s.reopen(wanted(s.o.Socket, cfg))
}

// Mend opens listeners again that are closed or were removed, and returns the faults that
// remain.
func (s *Server) Mend() []report.Fault {
	list := s.book.fault()
	s.mu.Lock()
	if s.closing || s.cfg == nil {
		s.mu.Unlock()
		return list
	}
	s.reopen(wanted(s.o.Socket, s.cfg))
	list = append(list, s.faults...)
	doors, cfg := s.doors, s.cfg
	s.mu.Unlock()
	return append(list, tlsFaults(doors, cfg)...)
}

// Close ends all requests and listeners.
func (s *Server) Close() {
	s.mu.Lock()
	s.closing = true
	doors := s.doors
	s.doors = nil
	s.mu.Unlock()
	s.stop()
	s.fleet.close()
	s.saver.close()
	s.feed.close()
	s.tries.close()
	for _, d := range doors {
		d.close()
	}
}

// config is the configuration in force, nil before the first Use.
func (s *Server) config() *conf.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg
}

// The limits of one request in time and size. A request is a line or two.
const (
	requestTime = 30 * time.Second
	requestSize = 16 << 10
	headerTime  = 5 * time.Second
	idleTime    = time.Minute
)

// server is an HTTP server for a door.
func (s *Server) server(d *door) *http.Server {
	return &http.Server{
		Handler:           s.handler(d),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    requestSize,
		ErrorLog:          silent,
		ConnContext:       withPeer,
	}
}
