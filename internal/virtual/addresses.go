package virtual

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
)

// Addresses are the virtual addresses of a configuration, and which of them are served. The
// director's goroutine owns them, but for States.
type Addresses struct {
	// Changed (nil: none) is called after what States returns has changed. It must not block.
	Changed func()

	services map[*Service]*serving
	list     []*address // sorted
	waiting  map[*serving]bool

	withdrawn map[netip.Addr]*report.Override // by order, also of addresses that the file does not have
	renewed   bool                            // by another configuration, also if only an address has left

	published atomic.Pointer[[]report.AddressState]
	ending    atomic.Pointer[func(netip.Addr) bool] // of End
	began     time.Time
	beat      atomic.Int64 // of the last Settle, since began; 0 is none yet
}

// A serving is a virtual service with its addresses.
type serving struct {
	policy.Served
	v         *Service
	addresses []*address
}

// An address is one virtual address.
type address struct {
	report.AddressState
	services []*serving
	dirty    bool
}

// NewAddresses returns the addresses of no configuration.
func NewAddresses() *Addresses {
	return &Addresses{began: time.Now(), waiting: map[*serving]bool{}, withdrawn: map[netip.Addr]*report.Override{}}
}

// Use takes over the virtual services of a configuration in force, with what is known of
// those with the same name. At a start those that the table has in service are served as
// before: a restart withdraws nothing.
func (a *Addresses) Use(virtuals []*Service, starting bool, now time.Time) {
	before := make(map[string]policy.Served, len(a.services))
	for v, s := range a.services {
		before[v.ID] = s.Served
	}
	known := make(map[netip.Addr]report.AddressState, len(a.list))
	for _, at := range a.list {
		known[at.Address] = at.AddressState
	}
	byAddr := map[netip.Addr]*address{}
	a.services, a.list = make(map[*Service]*serving, len(virtuals)), nil
	clear(a.waiting)
	for _, v := range virtuals {
		s := &serving{v: v, Served: before[v.ID]}
		if starting {
			found := servingOf(v)
			s.Served = policy.Served{Is: found.InService || found.Fallback, Since: now}
		}
		if s.Waits {
			a.waiting[s] = true
		}
		a.services[v] = s
		if v.Conf.Announce == conf.AnnounceNo {
			continue
		}
		for _, addr := range AddressesOf(v.Conf) {
			at := byAddr[addr]
			if at == nil {
				at = &address{dirty: true, AddressState: report.AddressState{Address: addr, Since: now}}
				if old, ok := known[addr]; ok {
					at.AddressState = old
				}
				byAddr[addr] = at
				a.list = append(a.list, at)
			}
			at.services, s.addresses = append(at.services, s), append(s.addresses, at)
		}
	}
	slices.SortFunc(a.list, func(x, y *address) int { return x.Address.Compare(y.Address) })
	if starting {
		for _, at := range a.list { // also if it was not for long enough
			at.Served = at.share().Served() && a.withdrawn[at.Address] == nil
		}
	}
	a.renewed = true
}

// AddressesOf are the addresses of a virtual service: those of its marks, if it is a mark.
func AddressesOf(c *conf.VirtualService) []netip.Addr {
	var list []netip.Addr
	if c.Addr.IsValid() {
		list = append(list, c.Addr.Unmap())
	}
	for _, m := range c.Marks {
		list = append(list, m.Addr.Unmap())
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// carriesAny reports whether the table has a real server or backup server of v in service.
func carriesAny(v *Service) bool {
	return slices.ContainsFunc(v.Actual.Slots, func(s table.Slot) bool {
		return s.Weight > 0 && s.Role != table.Fallback && s.Role != table.Foreign
	})
}

// servingOf is what v has now.
func servingOf(v *Service) policy.Serving {
	is := policy.Serving{Pending: v.First != nil, InService: carriesAny(v)}
	if v.Joint.rule.Quorum > 0 {
		is.Lost = v.Joint.Quorum == policy.QuorumLost
		is.Pending = is.Pending || v.Joint.Quorum == policy.QuorumUnknown
	}
	if v.Fallback != nil && v.Conf.AnnounceFallback {
		is.Fallback = fallbackIn(v)
	}
	return is
}

// Look decides anew whether v is served, after its table or its checks have changed.
func (a *Addresses) Look(v *Service, now time.Time) {
	s := a.services[v]
	if s == nil {
		return // of an earlier configuration
	}
	before, pending := s.Served, v.First != nil
	s.Served = s.Next(now, servingOf(v), v.Conf.AnnounceDelay)
	if s.Waits {
		a.waiting[s] = true
	} else {
		delete(a.waiting, s)
	}
	for _, at := range s.addresses {
		at.dirty = at.dirty || s.Served != before || !pending && !at.Checked
	}
}

// Settle decides which addresses are served after all that was looked at, and publishes it.
// It is called at least each second.
func (a *Addresses) Settle(now time.Time) {
	for s := range a.waiting {
		if now.Sub(s.Since) >= s.v.Conf.AnnounceDelay {
			a.Look(s.v, now)
		}
	}
	changed := a.renewed
	a.renewed = false
	for _, at := range a.list {
		if at.dirty {
			at.dirty, changed = false, at.look(now, a.withdrawn[at.Address]) || changed
		}
	}
	if changed {
		list := make([]report.AddressState, len(a.list))
		for i, at := range a.list {
			list[i] = at.AddressState
		}
		a.published.Store(&list)
	}
	a.beat.Store(int64(max(1, time.Since(a.began))))
	if changed && a.Changed != nil {
		a.Changed()
	}
}

// look decides whether the address is served, and reports whether its state has changed.
func (at *address) look(now time.Time, withdrawn *report.Override) bool {
	before := at.AddressState
	at.Checked = at.Checked || !slices.ContainsFunc(at.services, func(s *serving) bool { return s.v.First != nil })
	at.Withdrawn = withdrawn
	if at.Served = at.share().Served() && withdrawn == nil; at.Served != before.Served {
		at.Since = now
	}
	at.Reason = at.reason()
	at.Waits = !at.Served && slices.ContainsFunc(at.services, func(s *serving) bool { return s.Waits })
	return at.AddressState != before
}

func (at *address) share() (share policy.Share) {
	for _, s := range at.services {
		is := 0
		if s.Is {
			is = 1
		}
		if s.v.Conf.Announce == conf.AnnounceAll {
			share.All++
			share.AllServed += is
		} else {
			share.Any++
			share.AnyServed += is
		}
	}
	return share
}

// reason is why the address is not served, "" if it is.
func (at *address) reason() string {
	switch {
	case at.Served:
		return ""
	case at.Withdrawn != nil:
		return "withdrawn by order: " + at.Withdrawn.String()
	}
	for _, s := range at.services {
		if !s.Is && s.v.Conf.Announce == conf.AnnounceAll {
			return s.reason()
		}
	}
	for _, s := range at.services {
		if !s.Is && s.v.First == nil && s.Waits {
			return s.reason()
		}
	}
	for _, s := range at.services {
		if !s.Is && s.v.Conf.Announce == conf.AnnounceAny {
			return s.reason()
		}
	}
	return ""
}

// reason is why the virtual service is not served.
func (s *serving) reason() string {
	v, is := s.v, servingOf(s.v)
	switch {
	case is.Pending:
		return "the first checks of " + v.ID + " go on"
	case s.Waits:
		return fmt.Sprintf("%s is served since less than %s (announcedelay)", v.ID, v.Conf.AnnounceDelay)
	case is.Lost:
		return "the quorum of " + v.ID + " is lost"
	case v.Fallback != nil && !v.Conf.AnnounceFallback:
		return "no real server of " + v.ID + " is in service, and its fallback does not count (announcefallback)"
	}
	return "no real server of " + v.ID + " is in service"
}

// Called are the addresses that an operator means: one in any spelling, or all.
func (a *Addresses) Called(name string) []netip.Addr {
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	var list []netip.Addr
	for _, at := range a.list {
		if name == "" || err == nil && at.Address == addr.Unmap() {
			list = append(list, at.Address)
		}
	}
	if len(list) == 0 && err == nil && a.withdrawn[addr.Unmap()] != nil {
		list = append(list, addr.Unmap()) // it has left the file
	}
	return list
}

// Withdraw keeps an address from being served, nil ends that.
func (a *Addresses) Withdraw(addr netip.Addr, by *report.Override) {
	a.withdrawn[addr] = by
	if by == nil {
		delete(a.withdrawn, addr)
	}
	for _, at := range a.list {
		at.dirty = at.dirty || at.Address == addr
	}
}

// Has reports whether the configuration has an address.
func (a *Addresses) Has(addr string) bool {
	return slices.ContainsFunc(a.list, func(at *address) bool { return at.Address.String() == addr })
}

// Serves reports whether v is served, also if it does not count, and whether it will be after
// announcedelay.
func (a *Addresses) Serves(v *Service) (is, waits bool) {
	s := a.services[v]
	return s != nil && s.Is, s != nil && s.Waits
}

// errors of States.
var (
	errNoStates   = errors.New("the director has not begun")
	errStandstill = errors.New("the director stands still")
)

// stalledAfter is the time without a Settle after which no address counts as served.
const stalledAfter = 2 * time.Second

// End makes States say that no address is served but those that stay: the table is about to
// go. It returns when those that do not stay ceased to be served: now, if one was served, or the last time
// that an order withdrew one, whose clients may still come; zero if neither. It may be called from any
// goroutine, and Changed is not called for it.
func (a *Addresses) End(stay func(netip.Addr) bool) (ceased time.Time) {
	before, err := a.States()
	a.ending.Store(&stay)
	if err != nil {
		return time.Time{}
	}
	for _, at := range before {
		switch {
		case stay(at.Address):
		case at.Served:
			return time.Now()
		case at.Withdrawn != nil && at.Since.After(ceased):
			ceased = at.Since
		}
	}
	return ceased
}

// Ends reports whether End was called.
func (a *Addresses) Ends() bool { return a.ending.Load() != nil }

// ended is the list after End.
func ended(list []report.AddressState, stay func(netip.Addr) bool) []report.AddressState {
	list = slices.Clone(list)
	for i := range list {
		if at := &list[i]; !stay(at.Address) {
			at.Served, at.Waits, at.Reason = false, false, "the daemon stops"
		}
	}
	return list
}

// States returns the state of each address, sorted. The error is that they are not known, or not
// any more. It does not block, and may be called from any goroutine.
func (a *Addresses) States() ([]report.AddressState, error) {
	list, beat := a.published.Load(), time.Duration(a.beat.Load())
	switch {
	case list == nil && beat == 0:
		return nil, errNoStates
	case list == nil, time.Since(a.began)-beat > stalledAfter:
		return nil, errStandstill
	}
	if stay := a.ending.Load(); stay != nil {
		return ended(*list, *stay), nil
	}
	return *list, nil
}
