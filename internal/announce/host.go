package announce

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// takenTime is the time between two tries to get addresses that other machines have.
const takenTime = 30 * time.Second

// ErrTaken is that all was set up but addresses that other machines have.
var ErrTaken = errors.New("another machine has it")

// A HostSetup is what hostsetup says.
type HostSetup struct {
	// Addresses are the virtual addresses that this host is to have, sorted.
	Addresses []netip.Addr
	// Uncounted are those of them that no virtual service counts for (announce = no).
	Uncounted []netip.Addr
	// Do sets up this host with those of its virtual addresses for which has reports true, without
	// the others of the last setup, and with all else that it needs. An error that wraps ErrTaken
	// leaves addresses to other machines.
	Do func(ctx context.Context, has func(netip.Addr) bool) error
}

// A Host gives this host its virtual addresses (hostsetup): each one when its virtual services are in
// the table and their first checks are in. From then on it stays, whatever the checks say, until
// the stop, an order that withdraws it, or a file without it. One goroutine, that of Start, calls Do.
type Host struct {
	log func(format string, args ...any)
	worker

	// Under mu.
	setup   HostSetup
	renewed bool // by Use
	states  []report.AddressState
	known   bool // the states

	// Owned by the goroutine of Start, and afterwards by that of Withdraw.
	has   map[netip.Addr]bool
	retry time.Time // zero: nothing is left for a later try
}

// NewHost returns a Host that does nothing before Start. has are the addresses that an earlier daemon
// has added: they stay.
func NewHost(log func(string, ...any), setup HostSetup, has []netip.Addr) *Host {
	h := &Host{log: log, worker: newWorker(), setup: setup, has: map[netip.Addr]bool{}}
	for _, addr := range has {
		h.has[addr] = true
	}
	return h
}

// Use puts another setup in force. It does not block.
func (h *Host) Use(s HostSetup) {
	h.mu.Lock()
	h.setup, h.renewed = s, true
	h.mu.Unlock()
	h.ring()
}

// Set passes the states of the addresses. It does not block, and may be called from any goroutine.
func (h *Host) Set(states []report.AddressState) {
	h.mu.Lock()
	if !h.closing {
		h.states, h.known = states, true
	}
	h.mu.Unlock()
	h.ring()
}

// Start begins to give this host its addresses, until Withdraw or Leave.
func (h *Host) Start() { h.start(h.late, h.step) }

// late reports whether a later try is due.
func (h *Host) late(now time.Time) bool { return !h.retry.IsZero() && !now.Before(h.retry) }

// step sets up this host, if other addresses are due, after Use, and for a later try.
func (h *Host) step(ctx context.Context) {
	h.mu.Lock()
	s, states, known, renewed := h.setup, h.states, h.known, h.renewed
	h.renewed = false
	h.mu.Unlock()
	has := h.has
	if known {
		has = due(s, states, h.has)
	}
	if s.Do == nil || maps.Equal(has, h.has) && !renewed && !h.late(time.Now()) {
		return
	}
	err := s.Do(ctx, func(addr netip.Addr) bool { return has[addr] })
	if err != nil && ctx.Err() != nil {
		return // the daemon ends
	}
	h.has = has
	h.settle(err)
}

// Began takes in the result of the setup at the start, before Start: a failure is tried again.
func (h *Host) Began(err error) { h.settle(err) }

// settle takes in the result of a setup.
func (h *Host) settle(err error) {
	h.retry = time.Time{}
	switch {
	case err == nil:
		h.faults.clear(h.log, whatHost)
		h.faults.clear(h.log, whatTaken)
	case errors.Is(err, ErrTaken):
		h.retry = time.Now().Add(takenTime)
		h.faults.clear(h.log, whatHost)
		h.faults.set(h.log, whatTaken, lineTaken, err)
	default:
		h.retry = time.Now().Add(retryTime)
		h.faults.set(h.log, whatHost, lineHostFailed, err)
	}
}

// due are those of the addresses that this host is to have by now: has, without what is withdrawn by
// order, and what is served or has its first checks. Of an uncounted one all the others' first checks
// have to be in.
func due(s HostSetup, states []report.AddressState, has map[netip.Addr]bool) map[netip.Addr]bool {
	byAddr := make(map[netip.Addr]report.AddressState, len(states))
	for _, at := range states {
		byAddr[at.Address] = at
	}
	all := !slices.ContainsFunc(states, func(at report.AddressState) bool { return !at.Checked })
	now := map[netip.Addr]bool{}
	for _, addr := range s.Addresses {
		at := byAddr[addr]
		if at.Withdrawn == nil && (has[addr] || at.Served || at.Checked || all && slices.Contains(s.Uncounted, addr)) {
			now[addr] = true
		}
	}
	return now
}

// Withdraw ends the work, and takes the addresses away but those that stay. All else that was set up
// remains for the packets of the connections that end.
func (h *Host) Withdraw(ctx context.Context, stay func(netip.Addr) bool) {
	h.Leave()
	h.mu.Lock()
	s := h.setup
	h.mu.Unlock()
	if s.Do == nil {
		return
	}
	err := s.Do(ctx, func(addr netip.Addr) bool { return h.has[addr] && stay(addr) })
	switch {
	case err == nil, errors.Is(err, ErrTaken):
	case len(s.Addresses) == 0 && len(h.has) == 0: // noaddress
		h.log(lineHostLast, err)
	default:
		h.log(lineHostLate, err)
	}
}
