package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"ldirectord/internal/director"
)

// An OrderRequest is an Order as it is sent.
type OrderRequest struct {
	director.Order
	For director.Seconds `json:"for_seconds,omitempty"`
}

// An OrderAnswer says for which real servers an order was carried out.
type OrderAnswer struct {
	Obeyed  []director.Override `json:"obeyed"`
	Warning string              `json:"warning,omitempty"` // it will not outlive the daemon
}

func (s *Server) serveOrder(w http.ResponseWriter, r *http.Request) {
	var req OrderRequest
	if err := decode(r, &req); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if req.For < 0 || req.For.Duration() < 0 || req.For > director.Seconds(longest.Seconds()) {
		fail(w, http.StatusBadRequest, fmt.Errorf("for_seconds is 0 to %.0f", longest.Seconds()))
		return
	}
	order := req.Order
	order.For, order.By = req.For.Duration(), caller(r)
	ctx, cancel := limited(r)
	defer cancel()
	var a OrderAnswer
	unsaved, err := s.book.write(func() (all []director.Override, err error) {
		a.Obeyed, all, err = s.o.Director.Obey(ctx, order)
		return all, err
	})
	if err != nil {
		failWith(w, err)
		return
	}
	s.source.forget()
	if unsaved != nil {
		a.Warning = "it is done, but will be forgotten when the daemon ends: " + unsaved.Error()
		s.o.Log("Overrides could not be written: %v", unsaved)
	}
	answer(w, a)
}

// longest is how long an order may last that has an end.
const longest = 366 * 24 * time.Hour

// A RecheckRequest names the real servers to ask now.
type RecheckRequest struct {
	Real    string `json:"real,omitempty"` // "" is all
	Virtual string `json:"virtual,omitempty"`
}

// A RecheckAnswer says how many checks were begun.
type RecheckAnswer struct {
	Checks int `json:"checks"`
}

func (s *Server) serveRecheck(w http.ResponseWriter, r *http.Request) {
	var req RecheckRequest
	if err := decode(r, &req); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	n, err := s.o.Director.Recheck(ctx, req.Real, req.Virtual)
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, RecheckAnswer{n})
}

// decode reads the one JSON value that a request is, and nothing but what is
// known.
func decode(r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errors.New("the request must be application/json")
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the request cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the request")
	}
	return nil
}
