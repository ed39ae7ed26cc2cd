// Package names looks up the names of real servers again and again (resolve), and has
// their addresses for each configuration that is read. A resolver that fails, or answers
// without an address, changes nothing.
package names

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

const (
	lookupTime = 5 * time.Second        // limits one lookup
	atOnce     = 8                      // concurrent lookups
	longestGap = 100 * time.Millisecond // between the beginnings of two lookups
	mostNamed  = 5                      // names in one line of the log
)

// A Query is a name to look up.
type Query struct {
	Name  string
	IPv6  bool
	All   bool // each address counts, else one
	Fixed bool // it is not looked up again: the name of a virtual service or a fallback
}

// A Lookup returns the addresses of a name. It ends with ctx. An answer without an address
// is an error.
type Lookup func(ctx context.Context, name string, ipv6 bool) ([]conf.Found, error)

// A Book has the addresses of all names of the configuration in force. Its methods may be
// called from any goroutine; on a nil Book they do nothing.
type Book struct {
	lookup  Lookup
	log     func(format string, args ...any)
	changes chan struct{} // of one place
	wanted  chan struct{} // of one place: other names, or another time between lookups

	mu      sync.Mutex
	every   time.Duration // 0 is never
	known   map[Query][]conf.Found
	failing map[Query]error // why the last lookup failed
	refused bool            // the last changes are not in force
}

// New returns a Book with the names of cfg, whose addresses are known.
func New(lookup Lookup, log func(string, ...any), cfg *conf.Config) *Book {
	b := &Book{
		lookup: lookup, log: log, changes: make(chan struct{}, 1), wanted: make(chan struct{}, 1),
		every: cfg.Resolve, known: map[Query][]conf.Found{}, failing: map[Query]error{},
	}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			if !conf.IsName(r.Host) {
				continue
			}
			q := Query{Name: r.Host, IPv6: v.IPv6, All: v.ResolveAll}
			found := conf.Found{Addr: r.Addr}
			if conf.IsSRV(r.Host) {
				found.Port, found.Weight = r.Port, r.Weight
			}
			b.known[q] = conf.Sorted(append(b.known[q], found))
		}
	}
	return b
}

// Changes receives a value after lookups that have found other addresses.
func (b *Book) Changes() <-chan struct{} {
	if b == nil {
		return nil
	}
	return b.changes
}

// Failing returns the names whose last lookup failed, with the reasons, sorted.
func (b *Book) Failing() (names []string, why []error) {
	if b == nil {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range sorted(b.failing) {
		names, why = append(names, q.Name), append(why, b.failing[q])
	}
	return names, why
}

func sorted[T any](of map[Query]T) []Query {
	return slices.SortedFunc(maps.Keys(of), func(a, b Query) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), compareBool(a.IPv6, b.IPv6), compareBool(a.All, b.All), compareBool(a.Fixed, b.Fixed))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Run looks names up until ctx is done.
func (b *Book) Run(ctx context.Context) {
	if b == nil {
		return
	}
	began := time.Now()
	for {
		b.mu.Lock()
		every := b.every
		b.mu.Unlock()
		var due <-chan time.Time
		if every > 0 {
			due = time.After(time.Until(began.Add(every)))
		}
		select {
		case <-ctx.Done():
			return
		case <-b.wanted:
			began = time.Now() // the configuration was read with new addresses
			continue
		case <-due:
		}
		began = time.Now()
		b.round(ctx, every)
	}
}

// round looks up each name once, spread over at most half of the time until the next.
func (b *Book) round(ctx context.Context, every time.Duration) {
	b.mu.Lock()
	queries := slices.DeleteFunc(sorted(b.known), func(q Query) bool { return q.Fixed })
	before := maps.Clone(b.failing)
	b.mu.Unlock()
	if len(queries) == 0 {
		return
	}
	gap := min(longestGap, every/2/time.Duration(len(queries)))
	slots := make(chan struct{}, atOnce)
	var lookups sync.WaitGroup
	for i, q := range queries {
		if i > 0 && !pause(ctx, gap) {
			break
		}
		slots <- struct{}{}
		lookups.Go(func() {
			defer func() { <-slots }()
			b.ask(ctx, q)
		})
	}
	lookups.Wait()
	if ctx.Err() != nil {
		return
	}
	b.report(before)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused {
		b.refused = false
		signal(b.changes)
	}
}

// Refused has Changes receive a value once more after the next lookups: the addresses in
// the book could not be put in force.
func (b *Book) Refused() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = true
}

// pause waits for d, and reports false if ctx is done before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// ask looks one name up and keeps the answer.
func (b *Book) ask(ctx context.Context, q Query) {
	found, err := b.answer(ctx, q)
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.known[q]
	if !ok {
		return // a reload has taken the name out
	}
	if err != nil {
		b.failing[q] = err
		return
	}
	delete(b.failing, q)
	if next := chosen(q, known, found); !slices.Equal(next, known) {
		b.known[q] = next
		signal(b.changes)
	}
}

func (b *Book) answer(ctx context.Context, q Query) ([]conf.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := b.lookup(ctx, q.Name, q.IPv6)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no address", q.Name)
	}
	return found, err
}

// chosen is what counts of an answer. The one address of a name stays as long as the
// answer has it: many answers change their order each time.
func chosen(q Query, known, found []conf.Found) []conf.Found {
	switch {
	case q.All:
		return conf.Sorted(found)
	case len(known) == 0:
		return found[:1]
	case slices.Contains(found, known[0]):
		return known
	}
	return conf.Sorted(found)[:1]
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// report logs the names that fail since before, and those that do not any more.
func (b *Book) report(before map[Query]error) {
	b.mu.Lock()
	var broken, well []string
	for _, q := range sorted(b.failing) {
		if before[q] == nil {
			broken = append(broken, fmt.Sprintf("%s (%v)", q.Name, b.failing[q]))
		}
	}
	for _, q := range sorted(before) {
		if _, known := b.known[q]; known && b.failing[q] == nil {
			well = append(well, q.Name)
		}
	}
	b.mu.Unlock()
	if len(broken) > 0 {
		b.log("Names of real servers cannot be looked up, and keep their addresses: %s", listed(broken))
	}
	if len(well) > 0 {
		b.log("Names of real servers can be looked up again: %s", listed(well))
	}
}

func listed(names []string) string {
	text := strings.Join(names[:min(len(names), mostNamed)], ", ")
	if more := len(names) - mostNamed; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
