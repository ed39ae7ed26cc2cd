package status

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A stream writes server-sent events. Each event is flushed. After an error it does nothing.
type stream struct {
	w   io.Writer
	zip *zip // nil: not compressed
	c   *http.ResponseController
	err error
}

// newStream begins an answer. z compresses it, nil does not.
func newStream(w http.ResponseWriter, z *zip) *stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	s := &stream{w: w, zip: z, c: http.NewResponseController(w)}
	if z != nil {
		s.w = z
	}
	s.err = s.c.SetReadDeadline(time.Time{}) // the server's own is for requests that end
	return s
}

// maxZips is how many answers are compressed at a time: each takes 0.8 MB. Others are sent as
// they are, which costs a client ten times the bytes.
const maxZips = 32

// zips are the places of compressed answers.
type zips chan struct{}

// A zip compresses an answer. It has to be closed.
type zip struct {
	*gzip.Writer
	places zips
}

// zip marks an answer as compressed and returns what writes it; nil if the client does not
// take gzip, or all places are taken. Answers have no secrets, so their lengths tell nothing.
func (z zips) zip(w http.ResponseWriter, r *http.Request) *zip {
	w.Header().Set("Vary", "Accept-Encoding")
	if !takesGzip(r.Header) {
		return nil
	}
	select {
	case z <- struct{}{}:
	default:
		return nil
	}
	w.Header().Set("Content-Encoding", "gzip")
	writer, _ := gzip.NewWriterLevel(w, 2) // it exists; BestSpeed is as quick and takes 1.2 MB
	return &zip{writer, z}
}

// close ends the answer. A nil zip has none.
func (z *zip) close() {
	if z == nil {
		return
	}
	_ = z.Close() // the client may be gone
	<-z.places
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
	if s.zip != nil {
		if s.err = s.zip.Flush(); s.err != nil {
			return
		}
	}
	s.err = s.c.Flush()
}
