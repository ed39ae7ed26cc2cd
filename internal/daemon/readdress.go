package daemon

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
)

// machineLookup is the names.Lookup of the machine's resolver.
func machineLookup(ctx context.Context, name string, ipv6 bool) ([]conf.Found, error) {
	return conf.Lookup(ctx, net.DefaultResolver, name, ipv6)
}

// readdress puts the addresses in force that the names of real servers have now. It is a
// reload of these real servers alone: the files of the configuration are not read, and all
// other settings stay.
func (d *daemon) readdress(ctx context.Context) {
	if d.reloads.busy {
		d.reloads.names = true
		return
	}
	d.reloads.busy = true
	whole, sources := d.reloads.whole, d.reloads.sources
	go func() {
		r := d.withAddresses(whole, sources)
		if r.cfg != nil {
			for _, line := range moved(whole, r.whole) {
				d.log.Printf("%s", line)
			}
			d.enforce(ctx, &r)
		}
		d.reloads.ends <- r
	}()
}

// withAddresses reads the text of sources, from which whole was made, with the addresses
// in the book. The result has no configuration if they are those of whole.
func (d *daemon) withAddresses(whole *conf.Config, sources *conf.Sources) reading {
	hosts := d.file.names.Read(false)
	r := reading{sources: sources, hosts: hosts, only: true}
	read, err := fixed(d.file, whole).parse(sources, hosts)
	if err == nil {
		r.whole, err = whole.Readdressed(read)
	}
	if err != nil {
		r.why = refusal(err)
		return r
	}
	if r.whole != whole {
		r.cfg = r.whole
	}
	return r
}

// fixed is f for a reading that looks at no files and users: the settings of whole stay.
func fixed(f source, whole *conf.Config) source {
	f.options.TryOpen = func(string) error { return nil }
	f.options.ReadSecret = func(string) (string, string, error) { return "unread", "", nil }
	f.options.LookupUser = func(string) (account.Account, error) { return whole.CheckUser, nil }
	return f
}

// readdressed ends a readdress.
func (d *daemon) readdressed(r reading) {
	if r.whole == nil {
		d.file.names.Refused()
		if r.why != d.reloads.unnamed {
			d.log.Printf("The addresses of names cannot be taken: %s", strings.ReplaceAll(r.why, "\n", " "))
		}
		d.reloads.unnamed = r.why
		return
	}
	d.reloads.unnamed = ""
	d.file.names.Use(r.whole, r.hosts)
	if r.cfg == nil {
		return
	}
	for _, w := range Diagnosed(r.whole.Warnings) {
		if !slices.Contains(Diagnosed(d.cfg.Warnings), w) {
			d.log.Printf("%s", w)
		}
	}
	d.reloads.whole, d.cfg = r.whole, r.cfg
}

// moved describes the real servers of b that are at other addresses than those of a.
func moved(a, b *conf.Config) []string {
	var lines []string
	for i, v := range a.Virtuals {
		if b.Virtuals[i] == v {
			continue
		}
		before, now := addresses(v), addresses(b.Virtuals[i])
		var hosts []string
		for _, r := range slices.Concat(v.Reals, b.Virtuals[i].Reals) {
			if !slices.Contains(hosts, r.Host) && !slices.Equal(before[r.Host], now[r.Host]) {
				hosts = append(hosts, r.Host)
			}
		}
		for _, h := range hosts {
			lines = append(lines, fmt.Sprintf("Name %s of %s is at %s now, and was at %s", h, v.ID(), list(now[h]), list(before[h])))
		}
	}
	return lines
}

// addresses are those of the names of v's real servers.
func addresses(v *conf.VirtualService) map[string][]string {
	at := map[string][]string{}
	for _, r := range v.Reals {
		if conf.IsName(r.Host) {
			at[r.Host] = append(at[r.Host], r.String())
		}
	}
	return at
}

func list(words []string) string {
	if len(words) == 0 {
		return "the address of another one"
	}
	return strings.Join(words, ", ")
}
