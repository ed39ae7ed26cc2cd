package status

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
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
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	w.Header().Set("Content-Type", "application/x-ndjson")
	for c, err := range s.o.Connections() {
		if err != nil {
			_ = lines.Encode(Failure{err.Error()})
			break
		}
		if isSet(values, "persistence") && !c.Persistence || !c.called(values.Get("virtual"), values.Get("real")) {
			continue
		}
		if lines.Encode(c) != nil {
			return
		}
		if left--; left == 0 {
			break
		}
	}
	_ = out.Flush() // who went away does not want it
}

// called tells whether c is between what is called so; "" is anything.
func (c Connection) called(virtual, real string) bool {
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
