package maintenance

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/state"
)

func configured(t *testing.T, text string) *conf.Config {
	t.Helper()
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestNames(t *testing.T) {
	tests := []struct {
		at    string
		hosts []string
		want  []string
	}{
		{"10.1.0.1:80", nil, []string{"10.1.0.1:80", "10.1.0.1"}},
		{"10.1.0.1:80", []string{"web4"}, []string{"10.1.0.1:80", "10.1.0.1", "web4:80", "web4"}},
		{"10.1.0.1:0", []string{"web1.example.com"}, []string{"10.1.0.1:0", "10.1.0.1", "web1.example.com:0", "web1.example.com", "web1:0", "web1"}},
		{"10.1.0.1:80", []string{"a", "b"}, []string{"10.1.0.1:80", "10.1.0.1", "a:80", "a", "b:80", "b"}},
		{"[fd00:1::1]:80", nil, []string{"[fd00:1::1]:80", "[fd00:1::1]"}},
	}
	for _, tt := range tests {
		at := netip.MustParseAddrPort(tt.at)
		got := Names(&conf.RealServer{Addr: at.Addr(), Port: at.Port()}, tt.hosts)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("files for %s, called %q (-want +got):\n%s", tt.at, tt.hosts, diff)
		}
	}
}

// TestOutBy says which real servers the files in a maintenance directory take out.
func TestOutBy(t *testing.T) {
	cfg := configured(t, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n    real=10.1.0.3:8080 masq\n")
	hosts := map[netip.Addr][]string{netip.MustParseAddr("10.1.0.3"): {"alias.example.org", "web3.example.com"}}
	tests := map[string]struct {
		files     []string
		want      map[string]string
		unmatched []string
	}{
		"no file":                {nil, map[string]string{}, nil},
		"of no real server":      {[]string{".swp", "10.1.0.9", "README"}, map[string]string{}, []string{"10.1.0.9", "README"}},
		"by address":             {[]string{"10.1.0.2"}, map[string]string{"10.1.0.2:80": "10.1.0.2"}, nil},
		"of another port":        {[]string{"10.1.0.1:81"}, map[string]string{}, []string{"10.1.0.1:81"}},
		"by name":                {[]string{"web3"}, map[string]string{"10.1.0.3:8080": "web3"}, nil},
		"by another name":        {[]string{"alias:8080"}, map[string]string{"10.1.0.3:8080": "alias:8080"}, nil},
		"the most exact of some": {[]string{"10.1.0.1", "10.1.0.1:80", "web3.example.com"}, map[string]string{"10.1.0.1:80": "10.1.0.1:80", "10.1.0.3:8080": "web3.example.com"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			taken, unmatched := outBy(tt.files, meanings(tt.files, nil, time.Time{}), cfg, hosts)
			for at, file := range taken.Out {
				got[at.String()] = file
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("out by %q (-want +got):\n%s", tt.files, diff)
			}
			if diff := cmp.Diff(tt.unmatched, unmatched); diff != "" {
				t.Errorf("unmatched of %q (-want +got):\n%s", tt.files, diff)
			}
		})
	}
}

// A scene is a Watcher with its directory and its resolver.
type scene struct {
	t   *testing.T
	cfg *conf.Config
	w   *Watcher

	mu    sync.Mutex
	files []string
	err   error         // of the directory
	hang  chan struct{} // reads of the directory end when it is closed; nil: at once
	names map[string][]string
	lost  error // of the resolver
	kept  []state.Maintenance
	full  error // of keeping
}

const three = "maintenancedir=/maintenance\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n    real=10.1.0.3:80 masq\n"

// begin watches the directory of three real servers.
func begin(t *testing.T, s *scene, kept state.Maintenance) {
	s.t, s.cfg = t, configured(t, three)
	s.w = New(Options{NamesOf: s.namesOf, ReadDir: s.readDir, Kept: kept, Keep: s.keep})
	go s.w.Run(t.Context())
	s.w.Watch(s.cfg)
}

func (s *scene) namesOf(_ context.Context, a netip.Addr) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[a.String()], s.lost
}

func (s *scene) readDir(string) ([]string, error) {
	s.mu.Lock()
	hang := s.hang
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files, s.err
}

func (s *scene) keep(m state.Maintenance) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full == nil {
		s.kept = append(s.kept, m)
	}
	return s.full
}

// set changes what the Watcher depends on.
func (s *scene) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// settled is the last report of the next ten seconds, and how many there were.
func (s *scene) settled() (last Report, n int) {
	end := time.After(10 * time.Second)
	for {
		select {
		case last = <-s.w.Reports():
			n++
		case <-end:
			return last, n
		}
	}
}

func (s *scene) wantOut(when string, r Report, want map[string]string) {
	s.t.Helper()
	got := map[string]string{}
	for at, file := range r.Out {
		got[at.String()] = file
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s: in maintenance (-want +got):\n%s", when, diff)
	}
}

// TestUnknownIsAsBefore has the directory fail in every way there is: who was in
// maintenance stays in it, in a reload too, and the fault is reported.
func TestUnknownIsAsBefore(t *testing.T) {
	hang := make(chan struct{})
	held := map[string]string{"10.1.0.1:80": "10.1.0.1", "10.1.0.3:80": "web3"}
	faults := map[string]struct {
		breaks func(*scene)
		why    string
	}{
		"EACCES":  {func(s *scene) { s.err = fs.ErrPermission }, "permission denied"},
		"EIO":     {func(s *scene) { s.err = unix.EIO }, "input/output error"},
		"EMFILE":  {func(s *scene) { s.err = unix.EMFILE }, "too many open files"},
		"ESTALE":  {func(s *scene) { s.err = unix.ESTALE }, "stale file handle"},
		"missing": {func(s *scene) { s.err = unix.ENOENT }, "no such file or directory"},
		"hangs":   {func(s *scene) { s.hang = hang }, "/maintenance has not answered within 2s"},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{files: []string{"10.1.0.1", "web3"}, names: map[string][]string{"10.1.0.3": {"web3.example.com"}}}
				if name == "hangs" {
					hang = make(chan struct{}) // of this bubble
				}
				begin(t, s, state.Maintenance{})
				r, _ := s.settled()
				s.wantOut("at first", r, held)
				s.set(func() { fault.breaks(s) })
				r, n := s.settled()
				s.wantOut("broken", r, held)
				if n != 1 || r.State.Error != fault.why {
					t.Errorf("%d reports, the last with the error %q, want 1 with %q", n, r.State.Error, fault.why)
				}
				if diff := cmp.Diff(len(held), len(s.w.Lookup(s.cfg).Out)); diff != "" {
					t.Errorf("a reload meanwhile finds another number in maintenance (-want +got):\n%s", diff)
				}
				s.w.Watch(s.cfg)
				r, _ = s.settled()
				s.wantOut("after a reload", r, held)
				s.mu.Lock()
				kept := s.kept[len(s.kept)-1]
				s.mu.Unlock()

				next := &scene{err: errors.New("still broken"), lost: errors.New("no resolver")}
				begin(t, next, kept)
				r, _ = next.settled()
				next.wantOut("in the next process", r, held)

				s.set(func() { s.err, s.files = nil, []string{"web3"} })
				if s.hang != nil {
					close(hang)
					s.set(func() { s.hang = nil })
				}
				r, _ = s.settled()
				s.wantOut("mended", r, map[string]string{"10.1.0.3:80": "web3"})
				if r.State.Error != "" {
					t.Errorf("mended, but the error is %q", r.State.Error)
				}
			})
		})
	}
}

// TestNamesAreKept has the resolver fail, and take a name away: an existing
// file still takes its real server out.
func TestNamesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{files: []string{"web3"}, names: map[string][]string{"10.1.0.2": {"web2"}, "10.1.0.3": {"web3.example.com"}}}
		begin(t, s, state.Maintenance{})
		held := map[string]string{"10.1.0.3:80": "web3"}
		r, _ := s.settled()
		s.wantOut("at first", r, held)
		s.set(func() { s.lost = unix.ETIMEDOUT })
		time.Sleep(2 * nameAge)
		r, n := s.settled()
		if n > 0 {
			s.wantOut("without a resolver", r, held)
		}
		s.set(func() { s.lost, s.names = nil, nil })
		time.Sleep(2 * nameAge)
		if r, n = s.settled(); n > 0 {
			s.wantOut("without a name", r, held)
		}
		s.set(func() { s.files = []string{"web2"} }) // whose name is gone
		r, _ = s.settled()
		s.wantOut("with another file", r, map[string]string{})
		if len(r.State.Unmatched) != 1 || r.State.Unmatched[0].Name != "web2" {
			t.Errorf("unmatched files are %v, want web2", r.State.Unmatched)
		}
	})
}

// TestNameIsLookedUpAgain has a file wait for a resolver: its real server is out
// within seconds of the first answer, and until then the file is reported.
func TestNameIsLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{files: []string{"web3"}, names: map[string][]string{"10.1.0.3": {"web3"}}, lost: unix.ETIMEDOUT}
		begin(t, s, state.Maintenance{})
		r, _ := s.settled()
		want := []File{{Name: "web3", Why: "real servers without a known name: 3 (10.1.0.1: connection timed out)"}}
		if diff := cmp.Diff(want, r.State.Unmatched, cmp.AllowUnexported(File{})); diff != "" {
			t.Errorf("unmatched (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"Warning: maintenance file web3 takes no real server out of service: " + want[0].Why}, News(r.State, State{})); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if again := News(r.State, r.State); len(again) > 0 {
			t.Errorf("logged again: %q", again)
		}
		s.set(func() { s.lost = nil })
		r, _ = s.settled()
		s.wantOut("10 s after the resolver came back", r, map[string]string{"10.1.0.3:80": "web3"})
	})
}

// TestKeepIsTriedAgain has the disk be full for a while.
func TestKeepIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{full: unix.ENOSPC}
		begin(t, s, state.Maintenance{})
		r, _ := s.settled()
		if want := "no space left on device"; r.State.Unsaved != want {
			t.Errorf("unsaved: %q, want %q", r.State.Unsaved, want)
		}
		s.set(func() { s.full = nil })
		r, _ = s.settled()
		if r.State.Unsaved != "" || len(s.kept) != 1 {
			t.Errorf("unsaved: %q, kept %d times, want once", r.State.Unsaved, len(s.kept))
		}
		if _, n := s.settled(); n > 0 || len(s.kept) != 1 {
			t.Errorf("%d reports and %d writes while nothing changes", n, len(s.kept)-1)
		}
	})
}

// TestWatch has a reload bring a directory and take it away again.
func TestWatch(t *testing.T) {
	const service = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	dir := t.TempDir()
	touch := func() {
		if err := os.WriteFile(filepath.Join(dir, "10.1.0.1"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	without, with := configured(t, service), configured(t, "maintenancedir="+dir+"\n"+service)
	none := map[netip.AddrPort]string{}
	out := map[netip.AddrPort]string{netip.MustParseAddrPort("10.1.0.1:80"): "10.1.0.1"}
	synctest.Test(t, func(t *testing.T) {
		w := New(Options{NamesOf: func(context.Context, netip.Addr) ([]string, error) { return nil, nil }})
		go w.Run(t.Context())
		for _, step := range []struct {
			name string
			do   func()
			want map[netip.AddrPort]string
		}{
			{"no directory", func() { w.Watch(without) }, none},
			{"an empty one", func() { w.Watch(with) }, none},
			{"a file in it", touch, out},
			{"a file in its place", func() { os.Rename(dir, dir+"+"); os.WriteFile(dir, nil, 0o644) }, out},
			{"no directory again", func() { w.Watch(without) }, none},
			{"and back", func() { os.Remove(dir); os.Rename(dir+"+", dir); w.Watch(with) }, out},
		} {
			time.Sleep(time.Minute)
			synctest.Wait()
			step.do()
			began := time.Now()
			r := <-w.Reports()
			if diff := cmp.Diff(step.want, r.Out, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
			if took := time.Since(began); took > Interval {
				t.Errorf("%s: noticed after %v, want %v at most", step.name, took, Interval)
			}
		}
	})
}
