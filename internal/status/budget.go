package status

import (
	"errors"
	"net/http"
	"strings"
)

// The limits of simultaneous requests of a door. Health and metrics have a limit of their
// own, so that other requests cannot block them.
const (
	maxRequests      = 192
	maxVitalRequests = 32
)

// vital are the paths of monitoring.
var vital = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true, "/served": true, "/api/v1/served": true}

// budgeted refuses requests above the limits at once.
func budgeted(next http.Handler) http.Handler {
	most, mostVital := make(chan struct{}, maxRequests), make(chan struct{}, maxVitalRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		places := most
		if vital[r.URL.Path] || strings.HasPrefix(r.URL.Path, "/served/") {
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
