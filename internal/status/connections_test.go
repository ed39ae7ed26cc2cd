package status

import (
	"errors"
	"iter"
	"net/http"
	"testing"

	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// TestConnectionsFail sees that a list that cannot be made is an error.
func TestConnectionsFail(t *testing.T) {
	h := newHouse(t, plainConfig)
	h.o.Connections = func() iter.Seq2[wire.Connection, error] {
		return func(yield func(wire.Connection, error) bool) { yield(wire.Connection{}, errors.New("no IPVS")) }
	}
	w := h.get(outside, "/api/v1/connections")
	if got, want := w.Body.String(), `{"error":"no IPVS"}`+"\n"; w.Code != http.StatusServiceUnavailable || got != want {
		t.Errorf("a failure is answered with %d %s, want 503 %s", w.Code, got, want)
	}
	if w := h.get(outside, "/api/v1/history?real=nosuch"); w.Code != http.StatusNotFound {
		t.Errorf("the history of what is not there is answered with %d %s, want 404", w.Code, w.Body)
	}
	h.o.Connections = func() iter.Seq2[wire.Connection, error] { return func(func(wire.Connection, error) bool) {} }
	if w := h.get(outside, "/api/v1/connections?virtual=10.9.9.9:80"); w.Code != http.StatusNotFound {
		t.Errorf("connections of what is not there are answered with %d %s, want 404", w.Code, w.Body)
	}
}
