package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
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
	if hungUp(r) { // while the daemon hung
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), orderTime)
	defer cancel()
	var a wire.OrderAnswer
	pending := false
	unsaved, err := s.book.write(ctx, func() (err error) {
		a.Obeyed, _, err = s.o.Director.Obey(ctx, order)
		if pending = errors.Is(err, report.ErrPending); pending {
			return nil
		}
		return err
	})
	if err != nil {
		failOrder(w, err)
		return
	}
	s.source.forget()
	warnings := orderHazards(s.config(), a.Obeyed)
	if pending {
		warnings = append(warnings, "it is in force, and "+report.ErrPending.Error())
	}
	if unsaved != nil {
		warnings = append(warnings, "it is done, but will be forgotten when the daemon ends: "+unsaved.Error())
		s.o.Log("Overrides could not be written: %v", unsaved)
	}
	a.Warning = strings.Join(warnings, "; ")
	answer(w, a)
}

// orderTime is how long an order may take until it is in force and the kernel agrees. With
// writeTime it is less than the commands wait, which are to know what became of it.
const orderTime = 3 * time.Second

// failOrder says why an order is not in force.
func failOrder(w http.ResponseWriter, err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		fail(w, http.StatusServiceUnavailable, fmt.Errorf("the order was not carried out: its turn did not come within %v", orderTime))
		return
	}
	failWith(w, err)
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
	a, err := s.o.Director.Recheck(ctx, real, virtual)
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, a)
}
