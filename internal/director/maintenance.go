package director

import (
	"context"
	"maps"
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
		cfg   *conf.Config
		files []string // as of the last look
		told  map[netip.AddrPort]string
	)
	for {
		select {
		case cfg = <-m.configs:
			told = nil // the reload has new real servers to tell
			names.want(cfg)
			tick.Reset(lookAround)
			if cfg.MaintenanceDir == "" {
				tick.Stop() // there is nothing to wake up for
			}
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if cfg == nil {
			continue
		}
		known, news := names.known()
		found := maintenanceFiles(cfg)
		if told != nil && !news && slices.Equal(found, files) {
			continue // thousands of real servers need not be looked at
		}
		files = found
		out := outBy(files, cfg, known)
		if told != nil && maps.Equal(out, told) {
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
	return outBy(maintenanceFiles(cfg), cfg, names)
}

// maintenanceFiles is the names of the files in the maintenance directory,
// sorted; nil if there is none.
func maintenanceFiles(cfg *conf.Config) []string {
	if cfg.MaintenanceDir == "" {
		return nil
	}
	entries, err := os.ReadDir(cfg.MaintenanceDir)
	if err != nil {
		return nil
	}
	files := make([]string, len(entries))
	for i, e := range entries {
		files[i] = e.Name()
	}
	return files
}

// outBy is the real servers that some files take out, and which does.
func outBy(files []string, cfg *conf.Config, names map[netip.Addr]string) map[netip.AddrPort]string {
	out := map[netip.AddrPort]string{}
	if len(files) == 0 {
		return out
	}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			for _, name := range maintenanceNames(r, names[r.Addr]) {
				if _, found := slices.BinarySearch(files, name); found {
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
