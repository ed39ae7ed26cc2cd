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

// A NamesOf returns the names of an address. No name and no error means that it has
// none. It may take long, but not for ever.
type NamesOf func(context.Context, netip.Addr) ([]string, error)

// lookupTime limits one query of the resolver.
const lookupTime = 5 * time.Second

// resolve is the NamesOf of the machine's resolver, without the final dot.
func resolve(ctx context.Context, a netip.Addr) ([]string, error) {
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
	slices.Sort(found) // the resolver's order is arbitrary
	return slices.Compact(found), nil
}

const (
	nameAge   = 5 * time.Minute // the time after which a name is looked up again
	nameRetry = 5 * time.Second // the time until a failed query is repeated while a file waits for the answer
	askAtOnce = 8               // concurrent queries
)

// hosts are the known names of addresses. Its methods may be called from any
// goroutine.
type hosts struct {
	namesOf NamesOf

	mu      sync.Mutex
	addrs   []netip.Addr // of all real servers
	names   map[netip.Addr][]string
	failed  map[netip.Addr]error // the errors of those whose last query failed
	asking  bool                 // the first queries are not finished
	version int                  // of names, failed and asking
	stop    context.CancelFunc   // cancels the current queries; nil: there are none

	wanted chan struct{} // the addresses have changed
	retry  chan struct{} // the failed queries are due for a retry
}

func newHosts(namesOf NamesOf, kept map[netip.Addr][]string) *hosts {
	h := &hosts{namesOf: namesOf, names: maps.Clone(kept), failed: map[netip.Addr]error{}, wanted: make(chan struct{}, 1), retry: make(chan struct{}, 1)}
	if h.names == nil {
		h.names = map[netip.Addr][]string{}
	}
	return h
}

// run queries the resolver until ctx is done: all addresses when they change and
// every nameAge, the failed ones on retry.
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
		h.query(pass, onlyFailed, holds)
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

// want replaces the addresses to resolve.
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

// known is a copy of the results.
func (h *hosts) known() (names map[netip.Addr][]string, failed map[netip.Addr]error, asking bool, version int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.names), maps.Clone(h.failed), h.asking, h.version
}

// changed reports whether the results have changed since version.
func (h *hosts) changed(version int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version != version
}

// query looks up the names of all addresses, or only of those whose last query
// failed. holds reports whether a maintenance file is named after the host.
func (h *hosts) query(ctx context.Context, onlyFailed bool, holds func(host string) bool) {
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

// answered stores the result for one address. After an error the old names stay;
// the loss of a name ends no maintenance whose file is still there.
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

// asked records that the first queries for addrs are finished, and removes the
// addresses that belong to no real server any more.
func (h *hosts) asked(addrs []netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(addrs, h.addrs) {
		return // a reload has changed the addresses meanwhile
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
