package status

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// An OrderRequest is an Order as it is sent. What is nil is absent, which is not
// the same as 0.
type OrderRequest struct {
	Verb    string          `json:"verb"`
	Real    string          `json:"real"`
	Virtual *string         `json:"virtual,omitempty"` // nil is all
	Weight  *int            `json:"weight,omitempty"`  // of the verb weight alone
	For     *report.Seconds `json:"for_seconds,omitempty"`
	Comment string          `json:"comment,omitempty"`
}

// requestOf is o as it is sent.
func requestOf(o report.Order) OrderRequest {
	req := OrderRequest{Verb: o.Verb, Real: o.Real, Comment: o.Comment}
	if o.Virtual != "" {
		req.Virtual = &o.Virtual
	}
	if o.Verb == report.Weight {
		req.Weight = &o.Weight
	}
	if o.For != 0 {
		seconds := report.Seconds(o.For.Seconds())
		req.For = &seconds
	}
	return req
}

// order is the Order that is meant. The error says what is missing, or is there
// without a meaning.
func (req OrderRequest) order() (report.Order, error) {
	o := report.Order{Verb: req.Verb, Real: req.Real, Comment: req.Comment}
	switch {
	case req.Real == "":
		return o, errors.New("real is missing: the address, address and port, or name of a real server")
	case req.Virtual != nil && *req.Virtual == "":
		return o, errors.New("virtual is empty: leave it out for all virtual services of the real server")
	case req.Weight == nil && req.Verb == report.Weight:
		return o, fmt.Errorf("weight is missing: 0 to %d; 0 is what the verb drain does", report.MaxWeight)
	case req.Weight != nil && req.Verb != report.Weight:
		return o, fmt.Errorf("weight has no meaning for the verb %s: leave it out, or use the verb weight", req.Verb)
	case req.For != nil && req.Verb == report.Enable:
		return o, errors.New("for_seconds has no meaning for the verb enable: leave it out")
	case req.For != nil && (*req.For <= 0 || *req.For > report.Seconds(longest.Seconds()) || req.For.Duration() <= 0):
		return o, fmt.Errorf("for_seconds must be above 0 and at most %.0f: leave it out for an order that lasts until the real server is enabled", longest.Seconds())
	}
	if req.Virtual != nil {
		o.Virtual = *req.Virtual
	}
	if req.Weight != nil {
		o.Weight = *req.Weight
	}
	if req.For != nil {
		o.For = req.For.Duration()
	}
	return o, nil
}

// An OrderAnswer says for which real servers an order was carried out.
type OrderAnswer struct {
	Obeyed  []report.Override `json:"obeyed"`
	Warning string            `json:"warning,omitempty"` // it will not outlive the daemon, or clients are refused
}

func (s *Server) serveOrder(w http.ResponseWriter, r *http.Request) {
	var req OrderRequest
	if err := decode(r, &req); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	order, err := req.order()
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	order.By = caller(r)
	ctx, cancel := limited(r)
	defer cancel()
	var a OrderAnswer
	unsaved, err := s.book.write(func() (err error) {
		a.Obeyed, _, err = s.o.Director.Obey(ctx, order)
		return err
	})
	if err != nil {
		failWith(w, err)
		return
	}
	s.source.forget()
	warnings := drainHazards(s.config(), a.Obeyed)
	if unsaved != nil {
		warnings = append(warnings, "it is done, but will be forgotten when the daemon ends: "+unsaved.Error())
		s.o.Log("Overrides could not be written: %v", unsaved)
	}
	a.Warning = strings.Join(warnings, "; ")
	answer(w, a)
}

// longest is how long an order may last that has an end.
const longest = 366 * 24 * time.Hour

// A RecheckRequest names the real servers to ask now.
type RecheckRequest struct {
	Real    *string `json:"real,omitempty"`    // nil is all
	Virtual *string `json:"virtual,omitempty"` // nil is all
}

// A RecheckAnswer says how many checks were begun.
type RecheckAnswer struct {
	Checks int `json:"checks"`
}

// nameOf is the value of a member that names something, "" if it is absent.
func nameOf(member string, value *string) (string, error) {
	switch {
	case value == nil:
		return "", nil
	case *value == "":
		return "", errors.New(member + " is empty: leave it out for all")
	}
	return *value, nil
}

func (s *Server) serveRecheck(w http.ResponseWriter, r *http.Request) {
	var req RecheckRequest
	if err := decode(r, &req); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	real, err1 := nameOf("real", req.Real)
	virtual, err2 := nameOf("virtual", req.Virtual)
	if err := cmp.Or(err1, err2); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	n, err := s.o.Director.Recheck(ctx, real, virtual)
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, RecheckAnswer{n})
}
