package conf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Found is an address of a name. With SRV records it is one of a record's target, with
// the port and the weight of the record.
type Found struct {
	Addr   netip.Addr
	Port   uint16 // 0 without a record
	Weight int    // 0 without a record; a record has at least 1
}

// Lookup asks r for the addresses of a name in one family. Those of a host are in the
// order of the answer. The name of SRV records, which begins with an underscore, has the
// addresses of the targets of the lowest priority, sorted. An answer without an address
// is an error. It has no time limit but that of ctx.
func Lookup(ctx context.Context, r *net.Resolver, name string, ipv6 bool) ([]Found, error) {
	if IsSRV(name) {
		return lookupSRV(ctx, r, name, ipv6)
	}
	network, loopback := "ip4", netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if ipv6 {
		network, loopback = "ip6", netip.IPv6Loopback()
	}
	addrs, err := r.LookupNetIP(ctx, network, name)
	if err != nil && strings.EqualFold(name, "localhost") {
		return []Found{{Addr: loopback}}, nil // RFC 6761, section 6.3; a bare root has no /etc/hosts
	}
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, errors.New(name + " has no address")
	}
	found := make([]Found, len(addrs))
	for i, a := range addrs {
		found[i].Addr = a.Unmap()
	}
	return found, nil
}

func lookupSRV(ctx context.Context, r *net.Resolver, name string, ipv6 bool) ([]Found, error) {
	_, records, err := r.LookupSRV(ctx, "", "", name)
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, record := range records {
		if record.Priority != records[0].Priority || record.Target == "." { // RFC 2782: a lower priority is for when these cannot be reached
			continue
		}
		addrs, err := Lookup(ctx, r, record.Target, ipv6)
		if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
			continue // the other targets may have an address
		}
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			found = append(found, Found{a.Addr, record.Port, max(1, int(record.Weight))})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no target of " + name + " has an address")
	}
	return Sorted(found), nil
}

// Sorted returns found by address and port, each once.
func Sorted(found []Found) []Found {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b Found) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Port, b.Port))
	})
	return slices.CompactFunc(found, func(a, b Found) bool { return a.Addr == b.Addr && a.Port == b.Port })
}

// lookupHost is the first address of a name, within lookupTime.
func lookupHost(name string, ipv6 bool) (netip.Addr, error) {
	found, err := lookupAll(name, ipv6)
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0].Addr, nil
}

// lookupAll is Lookup by the machine's resolver, within 5 s.
func lookupAll(name string, ipv6 bool) ([]Found, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	return Lookup(ctx, net.DefaultResolver, name, ipv6)
}

// IsName reports whether a host of a real line is a name, which the resolver has to look up.
func IsName(host string) bool {
	if host == "" || strings.ContainsAny(host, "[:") || strings.Trim(host, "0123456789.") == "" {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err != nil
}

// IsSRV reports whether a name is one of SRV records.
func IsSRV(name string) bool { return strings.HasPrefix(name, "_") }

// srvLine is a real line with the name of SRV records.
var srvLine = regexp.MustCompile(`^(_[0-9A-Za-z-]+\._[0-9A-Za-z-]+\.[0-9A-Za-z._-]+)(?::([0-9A-Za-z_-]+))?[\s\v]+(.*)$`)

// realAddressOf is the address of a real line, which with srv may be the name of SRV
// records.
func realAddressOf(text string, srv bool) (realAddress, bool) {
	if srv {
		if m := srvLine.FindStringSubmatch(text); m != nil {
			return realAddress{from: m[1], port: m[2], after: m[3]}, true
		}
	}
	return findAddress(text)
}

// realHost resolves the host of a real line, the first of a range: to one address, or all
// with resolveall.
func realHost(p *parser, v *VirtualService, a realAddress, line int) ([]Found, error) {
	all := p.expanding && v.ResolveAll && a.to == "" && IsName(a.from)
	if a.to != "" || !IsName(a.from) || !all && p.opts.LookupReal == nil {
		addr, err := p.host(a.from, v.IPv6)
		return []Found{{Addr: addr}}, err
	}
	key := realKey{a.from, v.IPv6, all}
	known, ok := p.found[key]
	if !ok {
		if p.opts.LookupReal != nil {
			known.found, known.err = p.opts.LookupReal(a.from, v.IPv6, all)
		} else {
			known.found, known.err = lookupAll(a.from, v.IPv6)
		}
		if known.err == nil && len(known.found) == 0 {
			known.err = errors.New(a.from + " has no address")
		}
		p.found[key] = known
	}
	switch {
	case known.err != nil:
		return nil, known.err
	case !all:
		return known.found[:1], nil
	}
	found := Sorted(known.found)
	if len(found) > v.ResolveMax {
		p.warn(line, CodeTooManyAddresses, fmt.Sprintf("%s has more real servers than resolvemax = %d: the first ones count", a.from, v.ResolveMax))
		found = found[:v.ResolveMax]
	}
	return found, nil
}

type realKey struct {
	name      string
	ipv6, all bool
}

type realResult struct {
	found []Found
	err   error
}

// expandReals resolves the real servers of a block again when it is known whether it has
// resolveall, which may be outside blocks, below it.
func expandReals(p *parser, b *block) {
	v := b.v
	if !v.ResolveAll && !b.srv {
		return
	}
	v.Reals = nil
	p.copying, p.expanding = true, true
	for _, l := range b.reals {
		if p.stopped() {
			break
		}
		p.fail(l.line, p.addReals(v, l), l.name(), l.text)
	}
	p.dropRepeated(v)
	p.copying, p.expanding = false, false
	v.inheritRequest()
}

// Readdressed is c with the real servers of read, which was read from the same files with
// other addresses of names; it is c itself if they are the same. All else stays, and
// virtual services without a change are those of c. An error is that read is of other
// files.
func (c *Config) Readdressed(read *Config) (*Config, error) {
	if len(c.Virtuals) != len(read.Virtuals) {
		return nil, errors.New("the files have other virtual services")
	}
	next := *c
	next.Virtuals, next.Warnings = slices.Clone(c.Virtuals), read.Warnings
	same := true
	for i, v := range c.Virtuals {
		n := read.Virtuals[i]
		if filepath.Base(v.File) != filepath.Base(n.File) || v.Line != n.Line || v.Name != n.Name { // the directory may be written in another way
			return nil, fmt.Errorf("the files have another virtual service in place of %s", v.ID())
		}
		if slices.EqualFunc(v.Reals, n.Reals, func(a, b *RealServer) bool { return *a == *b }) {
			continue
		}
		changed := *v
		changed.Reals, changed.InPlace = n.Reals, n.InPlace
		next.Virtuals[i], same = &changed, false
	}
	if same {
		return c, nil
	}
	return &next, nil
}
