package names

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"

	"github.com/ldirectord/ldirectord/conf"
)

// A Reading has the addresses of names while one configuration is read. It is for one
// goroutine.
type Reading struct {
	book    *Book
	known   map[Query][]conf.Found // when it began
	again   bool                   // names that are known are looked up, too
	keep    bool                   // one that is known keeps its addresses if that fails
	silent  bool                   // the resolver did not answer: what is known is not looked up
	found   map[Query][]conf.Found
	failing map[Query]error
	asked   map[Query]bool   // those that the resolver was asked for
	answers map[Query]answer // of the resolver, by name and family alone
}

// An answer is that of one lookup.
type answer struct {
	found []conf.Found
	err   error
}

// Read begins to read a configuration: again looks up each name, as at a start or a
// reload; else the addresses in the book count, and only names that are not in it are
// looked up. It is nil for a nil Book.
func (b *Book) Read(again bool) *Reading {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return &Reading{
		book: b, known: maps.Clone(b.known), again: again, keep: b.every > 0,
		found: map[Query][]conf.Found{}, failing: map[Query]error{}, answers: map[Query]answer{}, asked: map[Query]bool{},
	}
}

// Into sets the functions of o that look names up.
func (r *Reading) Into(o conf.Options) conf.Options {
	if r != nil {
		o.LookupHost, o.LookupReal = r.host, r.real
	}
	return o
}

func (r *Reading) host(name string, ipv6 bool) (netip.Addr, error) {
	found, err := r.resolve(Query{Name: name, IPv6: ipv6, Fixed: true})
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0].Addr, nil
}

func (r *Reading) real(name string, ipv6, all bool) ([]conf.Found, error) {
	return r.resolve(Query{Name: name, IPv6: ipv6, All: all})
}

func (r *Reading) resolve(q Query) ([]conf.Found, error) {
	if found, ok := r.found[q]; ok {
		return found, nil
	}
	known := r.known[q]
	if all := (Query{Name: q.Name, IPv6: q.IPv6, All: true}); len(known) == 0 && !q.Fixed && len(r.known[all]) > 0 {
		known = r.known[all][:1] // it is read before it is known that all count
	}
	if len(known) > 0 && (!r.again || r.keep && r.silent) {
		r.found[q] = known
		return known, nil
	}
	found, err := r.ask(q)
	r.asked[q] = true
	if err != nil {
		dns, ok := errors.AsType[*net.DNSError](err)
		r.silent = r.silent || !ok || !dns.IsNotFound
		if !r.keep || len(known) == 0 {
			return nil, err
		}
		r.found[q], r.failing[q] = known, err
		return known, nil
	}
	if !r.keep {
		known = nil // the first address of the answer counts, as without a book
	}
	r.found[q] = chosen(q, known, found)
	return r.found[q], nil
}

// ask looks a name up once.
func (r *Reading) ask(q Query) ([]conf.Found, error) {
	key := Query{Name: q.Name, IPv6: q.IPv6}
	a, ok := r.answers[key]
	if !ok {
		a.found, a.err = r.book.answer(context.Background(), q)
		r.answers[key] = a
	}
	return a.found, a.err
}

// Use puts the addresses of r, with which cfg was read, into the book: cfg is in force.
func (b *Book) Use(cfg *conf.Config, r *Reading) {
	if b == nil || r == nil {
		return
	}
	b.mu.Lock()
	r.dropUnused(cfg)
	before := b.failing
	b.every, b.failing = cfg.Resolve, map[Query]error{}
	for q := range r.found {
		if now, ok := b.known[q]; ok && !r.again { // it may be newer
			r.found[q] = now
		}
		err, failed := r.failing[q]
		switch {
		case failed && !q.Fixed:
			b.failing[q] = err
		case before[q] != nil && !r.asked[q]:
			b.failing[q] = before[q]
		}
	}
	b.known = r.found
	b.mu.Unlock()
	b.report(before)
	if r.again {
		signal(b.wanted)
	}
}

// dropUnused removes the one address of names of which cfg has all: they were read before
// it was known that all count.
func (r *Reading) dropUnused(cfg *conf.Config) {
	used := map[Query]bool{}
	for _, v := range cfg.Virtuals {
		for _, real := range v.Reals {
			used[Query{Name: real.Host, IPv6: v.IPv6, All: v.ResolveAll}] = true
		}
	}
	maps.DeleteFunc(r.found, func(q Query, _ []conf.Found) bool {
		all := q
		all.All = true
		return !q.All && !q.Fixed && !used[q] && used[all]
	})
}
