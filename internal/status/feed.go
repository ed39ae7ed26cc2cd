package status

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// The limits of a feed: the notes that wait for one listener, and its listeners.
const (
	feedLength  = 256
	feedMembers = 64
)

// A feed sends notes to listeners, and waits for none of them. The channel of a listener
// that does not keep up is closed.
type feed struct {
	mu      sync.Mutex
	members map[chan report.Note]struct{}
	ended   chan struct{}
	once    sync.Once
}

func newFeed() *feed {
	return &feed{members: map[chan report.Note]struct{}{}, ended: make(chan struct{})}
}

func (f *feed) tell(n report.Note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for m := range f.members {
		select {
		case m <- n:
		default: // its reader ends when the channel is closed
			delete(f.members, m)
			close(m)
		}
	}
}

// join adds a listener; it returns nil if there are too many.
func (f *feed) join() chan report.Note {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.members) >= feedMembers {
		return nil
	}
	m := make(chan report.Note, feedLength)
	f.members[m] = struct{}{}
	return m
}

func (f *feed) leave(m chan report.Note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, m)
}

func (f *feed) close() { f.once.Do(func() { close(f.ended) }) }

// keepAlive is the time between two comments of a silent stream.
const keepAlive = 15 * time.Second

// serveEvents streams notes from now on, as server-sent events.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if _, ok := asked(w, r); !ok {
		return
	}
	m := s.feed.join()
	if m == nil {
		fail(w, http.StatusServiceUnavailable, errors.New("too many listen already"))
		return
	}
	defer s.feed.leave(m)
	out := newStream(w, r)
	defer out.close()
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for out.comment("listening"); out.err == nil; {
		select {
		case n, ok := <-m:
			if !ok {
				return // it did not keep up: the client connects again, and reads the history
			}
			text, err := json.Marshal(n)
			if err != nil {
				return
			}
			out.send("note", "", string(text))
		case <-alive.C:
			out.comment("alive")
		case <-r.Context().Done():
			return
		case <-s.feed.ended:
			return
		}
	}
}
