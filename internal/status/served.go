package status

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// served are the states of the virtual addresses. The error says that no address counts as
// served. It does not wait for a stalled director.
func (s *Server) served() ([]report.AddressState, error) {
	if s.o.Served == nil {
		return nil, errors.New("it is not known here which addresses are served")
	}
	return s.o.Served()
}

// serveServed answers 200 if an address is served, or all are, and else 503: always in a dry
// run, whose table no client meets.
func (s *Server) serveServed(w http.ResponseWriter, r *http.Request) {
	states, err := s.served()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if name := r.PathValue("vip"); name != "" {
		vip, err := netip.ParseAddr(strings.Trim(name, "[]"))
		if err != nil {
			http.Error(w, report.NotAnAddress(name), http.StatusBadRequest)
			return
		}
		if states = report.AddressesCalled(states, vip); len(states) == 0 {
			http.Error(w, report.NoSuchAddress(vip.String()).Error(), http.StatusNotFound)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.o.DryRun || !report.AllServed(states) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	for _, at := range states {
		fmt.Fprintln(w, words.Mark(s.o.DryRun)+at.String())
	}
	if len(states) == 0 {
		fmt.Fprintln(w, words.Mark(s.o.DryRun)+report.NoAddress)
	}
}

// serveAddresses is serveServed for programs.
func (s *Server) serveAddresses(w http.ResponseWriter, r *http.Request) {
	if _, ok := asked(w, r); !ok {
		return
	}
	states, err := s.served()
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err)
		return
	}
	answer(w, states)
}
