package status

import (
	"errors"
	"net/http"
)

// How many requests of a door are answered at the same time. Health and metrics
// have places of their own: whatever the others do, they are answered.
const (
	maxRequests      = 192
	maxVitalRequests = 32
)

// vital are the paths that monitoring asks for.
var vital = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

// budgeted refuses a request at once that would be one too many.
func budgeted(next http.Handler) http.Handler {
	most, mostVital := make(chan struct{}, maxRequests), make(chan struct{}, maxVitalRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		places := most
		if vital[r.URL.Path] {
			places = mostVital
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			w.Header().Set("Connection", "close")
			fail(w, http.StatusServiceUnavailable, errors.New("too many requests are being answered"))
		}
	})
}
