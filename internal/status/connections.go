package status

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// mostConnections is how many are listed if nobody says how many.
const mostConnections = 10_000

// serveConnections lists the kernel's connections, one JSON value a line, as
// they are read: there may be millions.
func (s *Server) serveConnections(w http.ResponseWriter, r *http.Request) {
	values, ok := asked(w, r, "virtual", "real", "persistence", "limit")
	if !ok {
		return
	}
	if s.o.Connections == nil {
		fail(w, http.StatusNotImplemented, errors.New("there is no kernel whose connections could be listed"))
		return
	}
	left, ok := limitOf(w, values, mostConnections)
	if !ok {
		return
	}
	sent := &counted{Writer: w}
	out := bufio.NewWriterSize(sent, 64<<10)
	lines := json.NewEncoder(out)
	w.Header().Set("Content-Type", "application/x-ndjson")
	found := false
	for c, err := range s.o.Connections() {
		if err != nil {
			connectionsFailed(w, out, sent, err)
			return
		}
		if isSet(values, "persistence") && !c.Persistence || !between(c, values.Get("virtual"), values.Get("real")) {
			continue
		}
		found = true
		if lines.Encode(c) != nil {
			return
		}
		if left--; left == 0 {
			break
		}
	}
	if name := cmp.Or(values.Get("virtual"), values.Get("real")); !found && name != "" {
		snap, err := s.source.get()
		if err == nil && len(Only(snap, values.Get("virtual"), values.Get("real")).Virtuals) == 0 {
			fail(w, http.StatusNotFound, errors.New("there is no such virtual service or real server"))
			return
		}
	}
	_ = out.Flush() // who went away does not want it
}

// A counted is a writer that knows whether something was written.
type counted struct {
	io.Writer
	n int
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += n
	return n, err
}

// connectionsFailed answers with an error instead of a list. A list that has begun
// ends with the error, and is cut off so that it cannot be taken for a whole one.
func connectionsFailed(w http.ResponseWriter, out *bufio.Writer, sent *counted, err error) {
	if sent.n == 0 {
		fail(w, http.StatusServiceUnavailable, err)
		return
	}
	_ = json.NewEncoder(out).Encode(wire.Failure{Error: err.Error()})
	_ = out.Flush() // the connection ends in any case
	panic(http.ErrAbortHandler)
}

// between reports whether c belongs to the virtual service and the real server of these
// names; "" is any.
func between(c wire.Connection, virtual, real string) bool {
	if _, name, ok := strings.Cut(virtual, ":"); ok && (strings.HasPrefix(virtual, "tcp:") || strings.HasPrefix(virtual, "udp:")) {
		if !strings.EqualFold(virtual[:3], c.Protocol) {
			return false
		}
		virtual = name
	}
	if virtual != "" && virtual != c.Virtual {
		return false
	}
	return real == "" || slices.Contains([]string{c.Real, host(c.Real), strings.Trim(host(c.Real), "[]")}, real)
}
