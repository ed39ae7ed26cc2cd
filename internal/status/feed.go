package status

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// The limits of a feed: the notes that wait for one listener, its listeners, and the notes
// that are kept for those that listen again.
const (
	feedLength  = 256
	feedMembers = 64
	feedKept    = 4096
)

// A numbered is a note with its number, from 1.
type numbered struct {
	number uint64
	note   report.Note
}

// A feed sends notes to listeners, and waits for none of them. The channel of a listener
// that does not keep up is closed; when it joins again it gets what it has missed.
type feed struct {
	mu      sync.Mutex
	run     string // the process, as numbers begin again with the next one
	last    uint64 // the number of the last note, 0 before the first one
	kept    []numbered
	members map[chan numbered]struct{}
	ended   chan struct{}
	once    sync.Once
}

func newFeed() *feed {
	return &feed{
		run: strconv.FormatInt(time.Now().UnixNano(), 36), members: map[chan numbered]struct{}{}, ended: make(chan struct{}),
	}
}

func (f *feed) tell(note report.Note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	n := numbered{f.last, note}
	if len(f.kept) < feedKept {
		f.kept = append(f.kept, n)
	} else {
		f.kept[(n.number-1)%feedKept] = n
	}
	for m := range f.members {
		select {
		case m <- n:
		default: // its reader ends when the channel is closed
			delete(f.members, m)
			close(m)
		}
	}
}

// join adds a listener, and returns what came after the note with the id that it has; ""
// is the last one. missed says that this is not all, or not known. The channel is nil if
// there are too many listeners.
func (f *feed) join(id string) (m chan numbered, before []numbered, missed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.members) >= feedMembers {
		return nil, nil, false
	}
	m = make(chan numbered, feedLength)
	f.members[m] = struct{}{}
	if id == "" {
		return m, nil, false
	}
	run, text, _ := strings.Cut(id, "-")
	has, err := strconv.ParseUint(text, 10, 64)
	if err != nil || run != f.run || has > f.last {
		return m, nil, true
	}
	first := max(has, f.last-min(f.last, feedKept)) // the one before the first to be sent
	for number := first + 1; number <= f.last; number++ {
		before = append(before, f.kept[(number-1)%feedKept])
	}
	return m, before, first > has
}

// id is what a listener repeats to get what comes after the note with a number.
func (f *feed) id(number uint64) string { return f.run + "-" + strconv.FormatUint(number, 10) }

func (f *feed) leave(m chan numbered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, m)
}

func (f *feed) close() { f.once.Do(func() { close(f.ended) }) }

// keepAlive is the time between two comments of a silent stream.
const keepAlive = 15 * time.Second

// serveEvents streams notes from now on, as server-sent events. A client that connects again
// with the id of its last event gets those after it; "missed" comes before them if they are
// not all there any more: the history may have them.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if _, ok := asked(w, r); !ok {
		return
	}
	m, before, missed := s.feed.join(r.Header.Get("Last-Event-ID"))
	if m == nil {
		fail(w, http.StatusServiceUnavailable, errors.New("too many listen already"))
		return
	}
	defer s.feed.leave(m)
	out := newStream(w, nil)
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	out.comment("listening")
	if missed {
		out.send("missed", "", "{}")
	}
	for _, n := range before {
		s.sendNote(out, n)
	}
	for out.err == nil {
		select {
		case n, ok := <-m:
			if !ok {
				return // it did not keep up: the client connects again, with its last id
			}
			s.sendNote(out, n)
		case <-alive.C:
			out.comment("alive")
		case <-r.Context().Done():
			return
		case <-s.feed.ended:
			return
		}
	}
}

func (s *Server) sendNote(out *stream, n numbered) {
	text, err := json.Marshal(n.note)
	if err != nil {
		out.err = err
		return
	}
	out.send("note", s.feed.id(n.number), string(text))
}
