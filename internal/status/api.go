package status

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

func fail(w http.ResponseWriter, status int, err error) {
	answerWith(w, status, wire.Failure{Error: err.Error()})
}

func answer(w http.ResponseWriter, v any) { answerWith(w, http.StatusOK, v) }

func answerWith(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may be gone
}

// failWith answers a request with the error of the director.
func failWith(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, report.ErrNotConfigured):
		fail(w, http.StatusNotFound, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		fail(w, http.StatusServiceUnavailable, errors.New("the director does not answer"))
	default:
		fail(w, http.StatusUnprocessableEntity, err)
	}
}

// limited is the context of a request, with the time limit of the director.
func limited(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), snapshotTime)
}

func (s *Server) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	values, ok := asked(w, r, "virtual", "real")
	if !ok {
		return
	}
	snap, err := s.source.get()
	if err != nil {
		failWith(w, err)
		return
	}
	only := Only(snap, values.Get("virtual"), values.Get("real"))
	if len(only.Virtuals) == 0 && (values.Has("virtual") || values.Has("real")) {
		failWith(w, report.NotConfigured(values.Get("real"), values.Get("virtual")))
		return
	}
	answer(w, only)
}

func (s *Server) serveHistory(w http.ResponseWriter, r *http.Request) {
	values, ok := asked(w, r, "virtual", "real", "verdicts", "limit", "since")
	if !ok {
		return
	}
	after, err := strconv.ParseUint(cmp.Or(values.Get("since"), "0"), 10, 64)
	if err != nil {
		fail(w, http.StatusBadRequest, errors.New("since must be the seq of a note"))
		return
	}
	limit, ok := limitOf(w, values, 0) // the director's own limit
	if !ok {
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	notes, err := s.o.Director.History(ctx, report.HistoryQuery{
		Real: values.Get("real"), Virtual: values.Get("virtual"), Verdicts: isSet(values, "verdicts"), Limit: limit, After: after,
	})
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, notes)
}

func (s *Server) serveWhy(w http.ResponseWriter, r *http.Request) {
	values, ok := asked(w, r, "virtual", "real")
	if !ok {
		return
	}
	if values.Get("real") == "" {
		fail(w, http.StatusBadRequest, errors.New("real is missing: the address, address and port, or name of a real server"))
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	reasons, err := s.o.Director.Why(ctx, values.Get("real"), values.Get("virtual"))
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, reasons)
}

// serveChanges answers with the changes of a plan alone, as all versions do.
func (s *Server) serveChanges(w http.ResponseWriter, r *http.Request) {
	if plan, ok := requestedPlan(s.o.Plan, w, r); ok {
		answer(w, plan.Changes)
	}
}

func (s *Server) servePlan(w http.ResponseWriter, r *http.Request) {
	if plan, ok := requestedPlan(s.o.Plan, w, r); ok {
		answer(w, plan)
	}
}

// requestedPlan makes the plan of a request; ok is false once the request is answered.
func requestedPlan(plan func(context.Context) (report.Plan, error), w http.ResponseWriter, r *http.Request) (made report.Plan, ok bool) {
	if _, ok := asked(w, r); !ok {
		return made, false
	}
	if plan == nil {
		fail(w, http.StatusNotImplemented, errors.New("no plans are made here"))
		return made, false
	}
	ctx, cancel := limited(r)
	defer cancel()
	made, err := plan(ctx)
	if err != nil {
		failWith(w, err)
	}
	return made, err == nil
}

func (s *Server) serveDoctor(w http.ResponseWriter, r *http.Request) {
	if _, ok := asked(w, r); !ok {
		return
	}
	if s.o.Doctor == nil {
		fail(w, http.StatusNotImplemented, errors.New("there is no doctor here"))
		return
	}
	findings, err := s.o.Doctor(r.Context())
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, findings)
}

// serveHealth reports whether the director and the schedule are alive. It does not wait
// for a stalled director.
func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if _, err := s.known(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, words.Mark(s.o.DryRun)+"alive")
}

// known is a snapshot of a director that is alive. The error is the reason why there is
// none.
func (s *Server) known() (*report.Snapshot, error) {
	if err := s.o.Director.Alive(); err != nil {
		return nil, err
	}
	snap, err := s.source.get()
	switch {
	case err != nil:
		return nil, errors.New("the director does not answer")
	case snap.Lag.Silent.Duration() > words.Silence:
		return nil, errors.New("no check was begun for " + snap.Lag.Silent.Duration().String())
	}
	return snap, nil
}

// serveReady reports whether every check has had a result.
func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	snap, err := s.source.get()
	switch {
	case err != nil:
		http.Error(w, "the director does not answer", http.StatusServiceUnavailable)
	case !snap.Ready:
		http.Error(w, fmt.Sprintf("%d of %d checks have not been made yet", snap.Lag.Unheard, snap.Lag.Checks), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, words.Mark(s.o.DryRun)+"ready")
	}
}
