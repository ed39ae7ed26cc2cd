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

// Taken is what the files of a maintenance directory do: the real servers in maintenance, each
// with its file, and those with an order of a file.
type Taken struct {
	Out    map[netip.AddrPort]string
	Orders map[netip.AddrPort]Order
}

// outBy returns what files (sorted) do with the real servers of cfg, and the files that
// concern none. Of several files for a real server the one with the most exact name counts.
func outBy(files []string, means map[string]meaning, cfg *conf.Config, hosts map[netip.Addr][]string) (taken Taken, unmatched []string) {
	taken = Taken{Out: map[netip.AddrPort]string{}, Orders: map[netip.AddrPort]Order{}}
	if len(files) == 0 {
		return taken, nil
	}
	used := make([]bool, len(files))
	done := map[netip.AddrPort]bool{}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			for _, name := range Names(r, hostsOf(cfg, r, hosts)) {
				i, found := slices.BinarySearch(files, name)
				if !found {
					continue
				}
				used[i] = true
				m, known := means[name]
				switch at := r.AddrPort(); {
				case done[at], !known, m.over != "":
				case m.order != nil:
					taken.Orders[at], done[at] = *m.order, true
				default:
					taken.Out[at], done[at] = name, true
				}
			}
		}
		clear(done)
	}
	for i, file := range files {
		if !used[i] && !strings.HasPrefix(file, ".") {
			unmatched = append(unmatched, file)
		}
	}
	return taken, unmatched
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
	read  func(dir string) ([]string, error)
	texts bool             // the contents of the files are read, too
	known map[string]*text // of the last read; nil is none

	mu      sync.Mutex
	pending *reading // nil: no read is running
}

type reading struct {
	dir   string
	turns int // that it has taken
	done  chan struct{}
	files []string
	texts map[string]*text // nil without maintenanceorders
	err   error
}

// files returns the names of the files in dir, sorted, and with texts what they contain.
func (r *reader) files(dir string, texts bool) ([]string, map[string]*text, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil || r.pending.dir != dir || r.texts != texts {
		p := &reading{dir: dir, done: make(chan struct{})}
		r.pending, r.texts = p, texts
		known := r.known
		go func() {
			defer close(p.done)
			if p.files, p.err = r.read(dir); p.err == nil && texts {
				p.texts = readTexts(dir, p.files, known)
			}
		}()
	}
	p := r.pending
	tick := time.NewTicker(turn)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			r.pending = nil
			if p.err == nil {
				r.known = p.texts
			}
			return p.files, p.texts, p.err
		default:
		}
		if p.turns == turns {
			return nil, nil, fmt.Errorf("%s has not answered within %v", dir, patience)
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

// readTexts reads files. known are those of the last time.
func readTexts(dir string, files []string, known map[string]*text) map[string]*text {
	texts := make(map[string]*text, len(files))
	for _, name := range files {
		texts[name] = readText(dir, name, known[name], time.Now())
	}
	return texts
}
