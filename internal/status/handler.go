package status

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// A route is one row of the table of requests.
type route struct {
	pattern string
	serve   func(*Server, http.ResponseWriter, *http.Request)
	control bool // only with the right to give orders
	reads   bool // with control: the right to read is enough where it is not everyone's
}

// routes are all requests; docs/openapi.yaml describes those below /api.
var routes = []route{
	{pattern: "GET /{$}", serve: (*Server).servePage},
	{pattern: "GET /stream", serve: (*Server).servePageStream},
	{pattern: "GET /style.css", serve: (*Server).serveAsset},
	{pattern: "GET /script.js", serve: (*Server).serveAsset},
	{pattern: "GET /icon.svg", serve: (*Server).serveAsset},
	{pattern: "GET /fleet", serve: (*Server).serveFleet},
	{pattern: "GET /fleet.js", serve: (*Server).serveAsset},
	{pattern: "GET /metrics", serve: (*Server).serveMetrics},
	{pattern: "GET /healthz", serve: (*Server).serveHealth},
	{pattern: "GET /readyz", serve: (*Server).serveReady},
	{pattern: "GET /served", serve: (*Server).serveServed},
	{pattern: "GET /served/{vip}", serve: (*Server).serveServed},
	{pattern: "GET /api/v1/served", serve: (*Server).serveAddresses},
	{pattern: "GET /api/v1/snapshot", serve: (*Server).serveSnapshot},
	{pattern: "GET /api/v1/history", serve: (*Server).serveHistory},
	{pattern: "GET /api/v1/why", serve: (*Server).serveWhy},
	{pattern: "GET /api/v1/connections", serve: (*Server).serveConnections},
	{pattern: "GET /api/v1/events", serve: (*Server).serveEvents},
	{pattern: "GET /api/v1/plan", serve: (*Server).serveChanges, control: true, reads: true},
	{pattern: "GET /api/v1/plan/details", serve: (*Server).servePlan, control: true, reads: true},
	{pattern: "GET /api/v1/doctor", serve: (*Server).serveDoctor, control: true, reads: true},
	{pattern: "POST /api/v1/orders", serve: (*Server).serveOrder, control: true},
	{pattern: "POST /api/v1/recheck", serve: (*Server).serveRecheck, control: true},
}

// handler answers the requests at a door.
func (s *Server) handler(d *door) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) {
			if s.o.DryRun {
				w.Header().Set(dryRunHeader, "true")
			}
			if err := s.elsewhere(req); err != nil {
				fail(w, http.StatusMisdirectedRequest, err)
				return
			}
			allowed := s.mayRead
			if r.control && (!r.reads || !s.readersAreKnown(d)) {
				allowed = s.mayControl
			}
			if !allowed(d, w, req) {
				return
			}
			r.serve(s, w, req)
		})
	}
	addFailures(mux)
	return guarded(budgeted(mux))
}

// elsewhere is the error of a request about another configuration file.
func (s *Server) elsewhere(r *http.Request) error {
	file, err := url.PathUnescape(r.Header.Get(wire.ConfigurationHeader))
	switch {
	case err != nil:
		return fmt.Errorf("%s is no escaped path", wire.ConfigurationHeader)
	case file == "", s.o.File == "", state.SameFile(file, s.o.File):
		return nil
	case s.o.DryRun:
		return fmt.Errorf("the dry run of %s listens there", s.o.File)
	}
	return fmt.Errorf("the daemon of %s listens there", s.o.File)
}

// addFailures answers unknown paths, and the methods that a path does not
// have, in the form of all failures of the interface.
func addFailures(mux *http.ServeMux) {
	methods := map[string]string{}
	for _, r := range routes {
		method, path, _ := strings.Cut(r.pattern, " ")
		if strings.HasPrefix(path, "/api/") {
			methods[path] = method
		}
	}
	for path, method := range methods {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", method)
			fail(w, http.StatusMethodNotAllowed, fmt.Errorf("%s takes %s alone", path, method))
		})
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, errors.New("there is nothing at this path: see docs/monitoring/openapi.yaml"))
	})
}

// guarded limits the requests of clients, and what a browser may do with the answers.
func guarded(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, errors.New("the request comes from a page of another origin"))
	}))
	origins := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "+
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		// A stream extends its deadline. The recorder of a test has none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(requestTime))
		r.Body = http.MaxBytesReader(w, r.Body, requestSize)
		if isForeign(r) {
			fail(w, http.StatusMisdirectedRequest, fmt.Errorf("%q is no name of this machine: a proxy has to send the address of statuslisten as Host", r.Host))
			return
		}
		origins.ServeHTTP(w, r)
	})
}
