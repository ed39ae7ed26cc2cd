package maintenance

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// A NamesOf is the names that an address resolves to. No name and no error is
// the answer that it has none. It may take its time, but not for ever.
type NamesOf func(context.Context, netip.Addr) ([]string, error)

// lookupTime bounds one question to the resolver.
const lookupTime = 5 * time.Second

// Resolve is the NamesOf that asks the machine's resolver, and drops the final dot.
func Resolve(ctx context.Context, a netip.Addr) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := net.DefaultResolver.LookupAddr(ctx, a.String())
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i, name := range found {
		found[i] = strings.TrimSuffix(name, ".")
	}
	slices.Sort(found) // a resolver gives them in any order
	return slices.Compact(found), nil
}

const (
	nameAge   = 5 * time.Minute // how long a name is believed
	nameRetry = 5 * time.Second // when a failed question is repeated while a file waits for the answer
	askAtOnce = 8               // questions under way
)

// hosts are the names of addresses, as far as they are known. Its methods may be
// called from any goroutine.
type hosts struct {
	namesOf NamesOf

	mu      sync.Mutex
	addrs   []netip.Addr // of all real servers
	names   map[netip.Addr][]string
	failed  map[netip.Addr]error // those whose last question had no answer
	asking  bool                 // some have not been asked once
	version int                  // of names, failed and asking
	stop    context.CancelFunc   // ends the questions under way; nil: there are none

	wanted chan struct{} // the addresses are others
	retry  chan struct{} // the failed questions are to be repeated
}

func newHosts(namesOf NamesOf, kept map[netip.Addr][]string) *hosts {
	h := &hosts{namesOf: namesOf, names: maps.Clone(kept), failed: map[netip.Addr]error{}, wanted: make(chan struct{}, 1), retry: make(chan struct{}, 1)}
	if h.names == nil {
		h.names = map[netip.Addr][]string{}
	}
	return h
}

// run asks until ctx is done: for all when the addresses change and every nameAge,
// for the failed when retry says so.
func (h *hosts) run(ctx context.Context, holds func(host string) bool) {
	again := time.NewTicker(nameAge)
	defer again.Stop()
	for {
		onlyFailed := false
		select {
		case <-h.wanted:
		case <-again.C:
		case <-h.retry:
			onlyFailed = true
		case <-ctx.Done():
			return
		}
		pass, stop := context.WithCancel(ctx)
		h.mu.Lock()
		h.stop = stop
		h.mu.Unlock()
		h.ask(pass, onlyFailed, holds)
		stop()
	}
}

// signal fills a channel of one place.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// want replaces the addresses whose names are asked for.
func (h *hosts) want(cfg *conf.Config) {
	seen := map[netip.Addr]bool{}
	if cfg.MaintenanceDir != "" {
		for _, v := range cfg.Virtuals {
			for _, r := range v.Reals {
				seen[r.Addr] = true
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addrs = slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
	h.asking = len(h.addrs) > 0
	h.version++
	if h.stop != nil {
		h.stop()
	}
	signal(h.wanted)
}

// known is a copy of all that is known.
func (h *hosts) known() (names map[netip.Addr][]string, failed map[netip.Addr]error, asking bool, version int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.names), maps.Clone(h.failed), h.asking, h.version
}

// changed says whether known would return something else than it did at version.
func (h *hosts) changed(version int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version != version
}

// ask asks for the names of all addresses, or only of those whose last question
// failed. holds says whether a maintenance file has the name.
func (h *hosts) ask(ctx context.Context, onlyFailed bool, holds func(host string) bool) {
	h.mu.Lock()
	addrs := slices.Clone(h.addrs)
	if onlyFailed {
		addrs = slices.SortedFunc(maps.Keys(h.failed), netip.Addr.Compare)
	}
	h.mu.Unlock()
	var askers sync.WaitGroup
	slots := make(chan struct{}, askAtOnce)
	for _, a := range addrs {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		askers.Go(func() {
			defer func() { <-slots }()
			names, err := h.namesOf(ctx, a)
			if ctx.Err() == nil {
				h.answered(a, names, err, holds)
			}
		})
	}
	askers.Wait()
	if ctx.Err() == nil && !onlyFailed {
		h.asked(addrs)
	}
}

// answered takes up the answer for one address. What could not be found out
// stays as it was; that an address has no name any more ends no maintenance for
// which the file is still there.
func (h *hosts) answered(a netip.Addr, names []string, err error, holds func(string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, knew := h.names[a]
	_, failedBefore := h.failed[a]
	switch {
	case err != nil:
		if !failedBefore {
			h.version++
		}
		h.failed[a] = err
		return
	case failedBefore:
		delete(h.failed, a)
		h.version++
	}
	if len(names) == 0 && slices.ContainsFunc(before, holds) {
		return
	}
	if knew && slices.Equal(before, names) {
		return
	}
	h.names[a] = names
	h.version++
}

// asked notes that addrs have been asked for once, and forgets the addresses that
// belong to no real server any more.
func (h *hosts) asked(addrs []netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(addrs, h.addrs) {
		return // a reload came in between
	}
	if h.asking {
		h.asking = false
		h.version++
	}
	other := func(a netip.Addr) bool {
		_, ours := slices.BinarySearchFunc(addrs, a, netip.Addr.Compare)
		return !ours
	}
	maps.DeleteFunc(h.names, func(a netip.Addr, _ []string) bool { return other(a) })
	maps.DeleteFunc(h.failed, func(a netip.Addr, _ error) bool { return other(a) })
}
