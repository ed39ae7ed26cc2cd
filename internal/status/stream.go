package status

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A stream writes server-sent events, compressed where the client takes that. Each event
// is flushed. After an error it does nothing.
type stream struct {
	w      io.Writer
	zipped *gzip.Writer // nil: not compressed
	c      *http.ResponseController
	err    error
}

// newStream begins the answer. The stream has to be closed.
func newStream(w http.ResponseWriter, r *http.Request) *stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	s := &stream{w: w, c: http.NewResponseController(w)}
	if s.zipped = compressed(w, r); s.zipped != nil {
		s.w = s.zipped
	}
	s.err = s.c.SetReadDeadline(time.Time{}) // the server's own is for requests that end
	return s
}

// compressed marks an answer as compressed and returns what writes it, to be closed; nil if
// the client does not take gzip. Answers have no secrets, so their lengths tell nothing.
func compressed(w http.ResponseWriter, r *http.Request) *gzip.Writer {
	w.Header().Set("Vary", "Accept-Encoding")
	if !takesGzip(r.Header) {
		return nil
	}
	w.Header().Set("Content-Encoding", "gzip")
	zipped, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level exists; its memory is a third of the usual one's
	return zipped
}

// takesGzip reports whether a client accepts gzip.
func takesGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			q, isWeight := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			f, err := strconv.ParseFloat(q, 64)
			if (name == "gzip" || name == "x-gzip") && (!isWeight || err == nil && f > 0) {
				return true
			}
		}
	}
	return false
}

// streamTime bounds the write of one event.
const streamTime = 10 * time.Second

// send sends an event whose data is one line. The client repeats the id of the last one when
// it connects again; "" leaves it as it is.
func (s *stream) send(event, id, data string) {
	if id != "" {
		id = "id: " + id + "\n"
	}
	s.write("event: " + event + "\n" + id + "data: " + data + "\n\n")
}

func (s *stream) comment(text string) { s.write(": " + text + "\n\n") }

func (s *stream) write(text string) {
	if s.err != nil {
		return
	}
	if s.err = s.c.SetWriteDeadline(time.Now().Add(streamTime)); s.err != nil {
		return
	}
	if _, s.err = io.WriteString(s.w, text); s.err != nil {
		return
	}
	if s.zipped != nil {
		if s.err = s.zipped.Flush(); s.err != nil {
			return
		}
	}
	s.err = s.c.Flush()
}

// close ends the stream.
func (s *stream) close() {
	if s.zipped != nil && s.err == nil {
		_ = s.zipped.Close() // the client may be gone
	}
}
