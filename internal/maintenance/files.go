package maintenance

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// Names are how the file that takes r out of service may be called, the most exact
// first: ADDRESS:PORT, ADDRESS, and for each of the names that r's address resolves
// to NAME:PORT, NAME, SHORT:PORT, SHORT. As in the original.
func Names(r *conf.RealServer, hosts []string) []string {
	at := r.AddrPort().String()
	port := at[strings.LastIndexByte(at, ':'):]
	names := []string{at, strings.TrimSuffix(at, port)}
	for _, host := range hosts {
		names = append(names, host+port, host)
		if short, _, ok := strings.Cut(host, "."); ok {
			names = append(names, short+port, short)
		}
	}
	return names
}

// outBy returns the real servers that files (sorted) take out of service, each with
// its file, and the files that take none out.
func outBy(files []string, cfg *conf.Config, hosts map[netip.Addr][]string) (out map[netip.AddrPort]string, unmatched []string) {
	out = map[netip.AddrPort]string{}
	if len(files) == 0 {
		return out, nil
	}
	used := make([]bool, len(files))
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			for _, name := range Names(r, hostsOf(cfg, r, hosts)) {
				i, found := slices.BinarySearch(files, name)
				if !found {
					continue
				}
				used[i] = true
				if _, ok := out[r.AddrPort()]; !ok {
					out[r.AddrPort()] = name
				}
			}
		}
	}
	for i, file := range files {
		if !used[i] && !strings.HasPrefix(file, ".") {
			unmatched = append(unmatched, file)
		}
	}
	return out, unmatched
}

// hostsOf are the names of r's address. With resolve the name by which it is configured is
// one of them: that of a new address is known before the resolver has answered for it.
func hostsOf(cfg *conf.Config, r *conf.RealServer, hosts map[netip.Addr][]string) []string {
	known := hosts[r.Addr]
	if cfg.Resolve > 0 && conf.IsName(r.Host) && !slices.Contains(known, r.Host) {
		return append(slices.Clone(known), r.Host)
	}
	return known
}

// names reports whether one of files is named after the host, with or without a
// port.
func names(files []string, host string) bool {
	short, _, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(files, func(file string) bool {
		name, _, _ := strings.Cut(file, ":")
		return name == host || name == short
	})
}

// patience limits the time for reading a directory. It is counted in turns: while this host
// stands still, which is no fault of the directory's, only one passes.
const (
	patience = 2 * time.Second
	turn     = patience / turns
	turns    = 20
)

// A reader reads directories, which may be on a file system whose server does not
// answer: such a read continues in a goroutine of its own.
type reader struct {
	read func(dir string) ([]string, error)

	mu      sync.Mutex
	pending *reading // nil: no read is running
}

type reading struct {
	dir   string
	turns int // that it has taken
	done  chan struct{}
	files []string
	err   error
}

// files returns the names of the files in dir, sorted.
func (r *reader) files(dir string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil || r.pending.dir != dir {
		p := &reading{dir: dir, done: make(chan struct{})}
		r.pending = p
		go func() {
			defer close(p.done)
			p.files, p.err = r.read(dir)
		}()
	}
	p := r.pending
	tick := time.NewTicker(turn)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			r.pending = nil
			return p.files, p.err
		default:
		}
		if p.turns == turns {
			return nil, fmt.Errorf("%s has not answered within %v", dir, patience)
		}
		select {
		case <-p.done:
		case <-tick.C:
			p.turns++
		}
	}
}

// readDir returns the names of the files in a directory, sorted.
func readDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := make([]string, len(entries))
	for i, e := range entries {
		files[i] = e.Name()
	}
	return files, nil
}
