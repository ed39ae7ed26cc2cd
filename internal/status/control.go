package status

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/ldirectord/ldirectord/internal/status/wire"
)

func (s *Server) serveOrder(w http.ResponseWriter, r *http.Request) {
	var req wire.OrderRequest
	if err := decode(r, &req); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	order, err := req.Order()
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	order.By = caller(r)
	ctx, cancel := limited(r)
	defer cancel()
	var a wire.OrderAnswer
	unsaved, err := s.book.write(func() (err error) {
		a.Obeyed, _, err = s.o.Director.Obey(ctx, order)
		return err
	})
	if err != nil {
		failWith(w, err)
		return
	}
	s.source.forget()
	warnings := orderHazards(s.config(), a.Obeyed)
	if unsaved != nil {
		warnings = append(warnings, "it is done, but will be forgotten when the daemon ends: "+unsaved.Error())
		s.o.Log("Overrides could not be written: %v", unsaved)
	}
	a.Warning = strings.Join(warnings, "; ")
	answer(w, a)
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
	var req wire.RecheckRequest
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
	answer(w, wire.RecheckAnswer{Checks: n})
}
