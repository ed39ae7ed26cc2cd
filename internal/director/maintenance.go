package director

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"ldirectord/conf"
)

// lookAround is how often the maintenance directory is looked at; a file has
// its effect within this time.
const lookAround = 500 * time.Millisecond

// A maintenance watches a directory in which a file named after a real server
// takes that out. Reverse names are looked up beside it, so that a slow
// resolver only delays the names, and no check.
type maintenance struct {
	changes chan map[netip.AddrPort]string // who is out, by which file
	configs chan *conf.Config
}

// watchMaintenance watches until ctx is done; nameOf finds the name of an
// address.
func watchMaintenance(ctx context.Context, nameOf nameFunc) *maintenance {
	m := &maintenance{
		changes: make(chan map[netip.AddrPort]string),
		configs: make(chan *conf.Config, 1),
	}
	go m.run(ctx, newNames(ctx, nameOf))
	return m
}

// watch says what to watch from now on.
func (m *maintenance) watch(cfg *conf.Config) {
	select { // only the newest counts
	case <-m.configs:
	default:
	}
	m.configs <- cfg
}

func (m *maintenance) run(ctx context.Context, names *names) {
	tick := time.NewTicker(lookAround)
	defer tick.Stop()
	var (
		cfg  *conf.Config
		told map[netip.AddrPort]string
	)
	for {
		select {
		case cfg = <-m.configs:
			told = nil // the reload has new real servers to tell
			names.want(cfg)
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		out := lookup(cfg, names.known())
		if cfg == nil || told != nil && maps.Equal(out, told) {
			continue
		}
		select {
		case m.changes <- out:
			told = out
		case <-ctx.Done():
			return
		}
	}
}

// lookup is the real servers for which the directory has a file.
func lookup(cfg *conf.Config, names map[netip.Addr]string) map[netip.AddrPort]string {
	out := map[netip.AddrPort]string{}
	if cfg == nil || cfg.MaintenanceDir == "" {
		return out
	}
	entries, err := os.ReadDir(cfg.MaintenanceDir)
	if err != nil || len(entries) == 0 {
		return out
	}
	files := make(map[string]bool, len(entries))
	for _, e := range entries {
		files[e.Name()] = true
	}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			for _, name := range maintenanceNames(r, names[r.Addr]) {
				if files[name] {
					out[r.AddrPort()] = name
					break
				}
			}
		}
	}
	return out
}

// maintenanceNames is how the file that takes r out may be called, the most
// exact first. name is what r's address resolves to, "" is unknown.
func maintenanceNames(r *conf.RealServer, name string) []string {
	at := r.AddrPort().String()
	port := at[strings.LastIndexByte(at, ':'):]
	names := []string{at, strings.TrimSuffix(at, port)}
	if name == "" {
		return names
	}
	names = append(names, name+port, name)
	if short, _, ok := strings.Cut(name, "."); ok {
		names = append(names, short+port, short)
	}
	return names
}

// maintain takes real servers out, and has those asked that may come back.
func (d *Director) maintain(out map[netip.AddrPort]string) {
	for _, v := range d.virtuals {
		for _, r := range v.reals {
			file := out[r.conf.AddrPort()]
			switch {
			case file == r.maintenance:
			case file == "":
				d.backToWork(r)
			default:
				d.takeOut(r, file)
			}
		}
	}
}

// keepOut keeps out who never was in. Files with names have their effect once
// the resolver has answered.
func (v *virtual) keepOut(out map[netip.AddrPort]string) {
	for _, r := range v.reals {
		if file := out[r.conf.AddrPort()]; file != "" && r.verdict == unproven {
			r.maintenance = file
		}
	}
}

func (d *Director) takeOut(r *real, file string) {
	wasIn := r.in()
	r.maintenance = file
	if wasIn {
		d.changed(r, Event{Kind: Gone, Real: r.conf, R: r.name(), Reason: "in maintenance: file " + file})
	}
}

// backToWork lets the next check decide, at once.
func (d *Director) backToWork(r *real) {
	r.maintenance = ""
	r.tally = tally{verdict: down, since: r.since, failures: r.virtual.limits.fall, successes: r.virtual.limits.rise - 1}
	d.touch(r.virtual)
	d.alwaysUp(r)
	if r.check != nil {
		d.sched.Soon(&r.check.job)
	}
}

// names looks up the names of addresses, in the background and again from time
// to time.
type names struct {
	wanted chan []netip.Addr
	found  chan map[netip.Addr]string
	last   map[netip.Addr]string
	nameOf nameFunc
}

// nameAge is how long a name is believed.
const nameAge = 5 * time.Minute

// A nameFunc is what an address resolves to, "" is nothing. It may take its
// time, but not for ever.
type nameFunc func(context.Context, netip.Addr) string

func newNames(ctx context.Context, nameOf nameFunc) *names {
	n := &names{nameOf: nameOf, wanted: make(chan []netip.Addr, 1), found: make(chan map[netip.Addr]string, 1)}
	go n.run(ctx)
	return n
}

// want says whose names will be asked for.
func (n *names) want(cfg *conf.Config) {
	seen := map[netip.Addr]bool{}
	if cfg.MaintenanceDir != "" {
		for _, v := range cfg.Virtuals {
			for _, r := range v.Reals {
				seen[r.Addr] = true
			}
		}
	}
	select {
	case <-n.wanted:
	default:
	}
	n.wanted <- slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
}

// known is the names found so far.
func (n *names) known() map[netip.Addr]string {
	select {
	case n.last = <-n.found:
	default:
	}
	return n.last
}

func (n *names) run(ctx context.Context) {
	again := time.NewTicker(nameAge)
	defer again.Stop()
	var addrs []netip.Addr
	for {
		select {
		case addrs = <-n.wanted:
		case <-again.C:
		case <-ctx.Done():
			return
		}
		found := make(map[netip.Addr]string, len(addrs))
		for i, a := range addrs {
			if ctx.Err() != nil {
				return
			}
			found[a] = n.nameOf(ctx, a)
			if i%64 == 63 || i == len(addrs)-1 {
				n.publish(maps.Clone(found))
			}
		}
	}
}

func (n *names) publish(found map[netip.Addr]string) {
	select {
	case <-n.found:
	default:
	}
	n.found <- found
}

// resolve is the nameFunc that asks the machine's resolver, and drops the final
// dot.
func resolve(ctx context.Context, a netip.Addr) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupAddr(ctx, a.String())
	if err != nil || len(found) == 0 {
		return ""
	}
	return strings.TrimSuffix(found[0], ".")
}
