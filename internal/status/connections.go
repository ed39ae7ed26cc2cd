package status

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// mostConnections is the limit of a list without a limit of its own.
const mostConnections = 10_000

// serveConnections lists the kernel's connections, one JSON value a line, while it reads
// them: there may be millions.
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
	var wanted func(wire.Connection) bool
	if wanted, ok = s.wantedConnections(w, values.Get("virtual"), values.Get("real")); !ok {
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
		if isSet(values, "persistence") && !c.Persistence || !wanted(c) {
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
			failWith(w, report.NotConfigured(values.Get("real"), values.Get("virtual")))
			return
		}
	}
	_ = out.Flush() // the client may be gone
}

// A counted is a writer that counts its bytes.
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
	if real == "" || real == c.Real {
		return true
	}
	at, err := netip.ParseAddrPort(c.Real)
	return err == nil && report.RealCalled(at, "", real)
}

// wantedConnections returns what chooses the connections of the virtual services and real
// servers that are called so, in the file or, when they have left it, in the kernel; "" is all. It
// is false if the request has been answered.
func (s *Server) wantedConnections(w http.ResponseWriter, virtual, real string) (wanted func(wire.Connection) bool, ok bool) {
	if virtual == "" && real == "" {
		return func(wire.Connection) bool { return true }, true
	}
	snap, err := s.source.get()
	if err != nil {
		failWith(w, err)
		return nil, false
	}
	list := Only(snap, virtual, real).Virtuals
	type pair struct{ virtual, real string } // virtual "" is any
	pairs := map[pair]bool{}
	for _, v := range list {
		of := v.ID
		if kind, _, _ := strings.Cut(v.ID, ":"); kind != "tcp" && kind != "udp" {
			if of = ""; real == "" {
				fail(w, http.StatusUnprocessableEntity, fmt.Errorf("the kernel's list of connections has no firewall marks: ask for the real servers of %s", v.ID))
				return nil, false
			}
		}
		for _, r := range v.Reals {
			pairs[pair{of, cmp.Or(r.At, r.Name)}] = true
		}
	}
	return func(c wire.Connection) bool {
		return pairs[pair{strings.ToLower(c.Protocol) + ":" + c.Virtual, c.Real}] || pairs[pair{"", c.Real}] || between(c, virtual, real)
	}, true
}
