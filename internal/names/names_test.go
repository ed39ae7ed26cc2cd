package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

// A zone is a resolver of the test.
type zone struct {
	mu      sync.Mutex
	addrs   map[string]string // separated by blanks
	err     error
	hangs   bool
	asked   []string // names, and when
	began   time.Time
	running int
	most    int
}

func newZone(addrs map[string]string) *zone { return &zone{addrs: addrs, began: time.Now()} }

// lookups are those since the last call, and how many ran at once.
func (z *zone) lookups() (asked []string, most int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	asked, most = z.asked, z.most
	z.asked, z.most = nil, 0
	return asked, most
}

func (z *zone) set(name, addrs string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addrs[name] = addrs
}

func (z *zone) fail(err error, hangs bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.err, z.hangs = err, hangs
}

func (z *zone) lookup(ctx context.Context, name string, _ bool) ([]conf.Found, error) {
	z.mu.Lock()
	z.asked = append(z.asked, fmt.Sprintf("%s %v", name, time.Since(z.began)))
	z.running++
	z.most = max(z.most, z.running)
	addrs, err, hangs := z.addrs[name], z.err, z.hangs
	z.mu.Unlock()
	if hangs {
		<-ctx.Done()
		err = ctx.Err()
	} else {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	z.mu.Lock()
	z.running--
	z.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var found []conf.Found
	for addr := range strings.FieldsSeq(addrs) {
		found = append(found, conf.Found{Addr: netip.MustParseAddr(addr)})
	}
	return found, nil
}

// A scene is a Book that runs.
type scene struct {
	*Book
	*zone
	text string
	mu   sync.Mutex
	log  []string
}

func (s *scene) options() conf.Options {
	return conf.Options{LookupPort: func(string, string) (uint16, error) { return 80, nil }, Hostname: "director"}
}

// begin reads text as a start does, and runs a Book.
func begin(t *testing.T, z *zone, text string) *scene {
	t.Helper()
	s := &scene{zone: z, text: text}
	first := New(z.lookup, t.Logf, &conf.Config{})
	cfg, err := conf.Parse("t.cf", []byte(text), first.Read(true).Into(s.options()))
	if err != nil {
		t.Fatal(err)
	}
	s.Book = New(z.lookup, func(format string, args ...any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.log = append(s.log, fmt.Sprintf(format, args...))
	}, cfg)
	go s.Run(t.Context())
	return s
}

// read reads the configuration, and uses it if it has no mistake. It returns the addresses
// of the real servers.
func (s *scene) read(again bool) string {
	r := s.Read(again)
	cfg, err := conf.Parse("t.cf", []byte(s.text), r.Into(s.options()))
	if err != nil {
		return err.Error()
	}
	s.Use(cfg, r)
	var addrs []string
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			addrs = append(addrs, r.Addr.String())
		}
	}
	return strings.Join(addrs, " ")
}

func (s *scene) changed() bool {
	select {
	case <-s.Changes():
		return true
	default:
		return false
	}
}

func (s *scene) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log
	s.log = nil
	return log
}

const file = `resolve=60
virtual=10.0.0.1:80
    real=web1:80 masq
    real=web2:80 masq
    service=http
virtual=10.0.0.2:80
    real=pool:80 masq
    resolveall=yes
    service=http
`

func standard() map[string]string {
	return map[string]string{"web1": "10.1.0.1", "web2": "10.1.0.2", "pool": "10.2.0.2 10.2.0.1"}
}

const before = "10.1.0.1 10.1.0.2 10.2.0.1 10.2.0.2"

// TestRounds has answers that change, or do not, from one minute to the next.
func TestRounds(t *testing.T) {
	notFound := &net.DNSError{Err: "no such host", IsNotFound: true}
	tests := []struct {
		name   string
		change func(z *zone)
		want   string // the addresses afterwards
	}{
		{"nothing", func(*zone) {}, before},
		{"one name", func(z *zone) { z.set("web1", "10.1.0.9") }, "10.1.0.9 10.1.0.2 10.2.0.1 10.2.0.2"},
		{"more addresses, the old one is the last", func(z *zone) { z.set("web1", "10.1.0.9 10.1.0.5 10.1.0.1") }, before},
		{"several new addresses", func(z *zone) { z.set("web1", "10.1.0.9 10.1.0.5") }, "10.1.0.5 10.1.0.2 10.2.0.1 10.2.0.2"},
		{"another order", func(z *zone) { z.set("pool", "10.2.0.1 10.2.0.2 10.2.0.1") }, before},
		{"one of all leaves", func(z *zone) { z.set("pool", "10.2.0.2") }, "10.1.0.1 10.1.0.2 10.2.0.2"},
		{"one of all is new", func(z *zone) { z.set("pool", "10.2.0.7 10.2.0.1 10.2.0.2") }, before + " 10.2.0.7"},
		{"no address", func(z *zone) { z.set("pool", ""); z.set("web1", "") }, before},
		{"no such name", func(z *zone) { z.fail(notFound, false) }, before},
		{"an error", func(z *zone) { z.fail(errors.New("SERVFAIL"), false) }, before},
		{"no answer", func(z *zone) { z.fail(nil, true) }, before},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := newZone(standard())
				s := begin(t, z, file)
				time.Sleep(2 * time.Minute)
				if s.changed() {
					t.Fatal("a change before there is one")
				}
				tt.change(z)
				time.Sleep(time.Minute + 6*time.Second)
				if got, want := s.changed(), tt.want != before; got != want {
					t.Errorf("a change is %t, want %t", got, want)
				}
				if got := s.read(false); got != tt.want {
					t.Errorf("the addresses are %q, want %q", got, tt.want)
				}
				time.Sleep(5 * time.Minute)
				if s.changed() {
					t.Error("a second change")
				}
				if got := s.read(false); got != tt.want {
					t.Errorf("later the addresses are %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestReload reads the configuration again while the resolver fails: what is known stays, in
// a reload as in a start without resolve it is a mistake.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(standard())
		s := begin(t, z, file)
		if got := s.read(true); got != before {
			t.Errorf("the addresses are %q, want %q", got, before)
		}
		z.fail(nil, true)
		began := time.Now()
		if got := s.read(true); got != before {
			t.Errorf("without an answer the addresses are %q, want %q", got, before)
		}
		if took := time.Since(began); took != lookupTime {
			t.Errorf("the reload took %v, want one lookup of %v", took, lookupTime)
		}
		s.text += "virtual=10.0.0.3:80\n    real=new:80 masq\n    service=http\n"
		if got := s.read(true); !strings.Contains(got, "invalid address (new) for real server") {
			t.Errorf("a new name: %q", got)
		}
		z.fail(nil, false)
		z.set("new", "10.3.0.1")
		z.set("web1", "10.1.0.9")
		if got, want := s.read(true), "10.1.0.9 10.1.0.2 10.2.0.1 10.2.0.2 10.3.0.1"; got != want {
			t.Errorf("the addresses are %q, want %q", got, want)
		}
		s.text = strings.Replace(s.text, "resolve=60", "resolve=0", 1)
		s.read(true)
		z.fail(errors.New("SERVFAIL"), false)
		if got := s.read(true); !strings.Contains(got, "invalid address (web1) for real server") {
			t.Errorf("without resolve: %q", got)
		}
	})
}

// TestLog has one line when lookups begin to fail, and one when they do not any more.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(standard())
		s := begin(t, z, file)
		expect := func(when string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, s.logged()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		time.Sleep(5*time.Minute + 10*time.Second)
		expect("while all is well")
		z.fail(errors.New("SERVFAIL"), false)
		time.Sleep(5 * time.Minute)
		expect("the resolver fails", "Names of real servers cannot be looked up, and keep their addresses: pool (SERVFAIL), web1 (SERVFAIL), web2 (SERVFAIL)")
		s.read(true)
		expect("a reload meanwhile")
		if names, _ := s.Failing(); !slices.Equal(names, []string{"pool", "web1", "web2"}) {
			t.Errorf("the failing names are %q", names)
		}
		z.fail(nil, false)
		time.Sleep(2 * time.Minute)
		expect("it is well again", "Names of real servers can be looked up again: pool, web1, web2")
		if names, _ := s.Failing(); names != nil {
			t.Errorf("the failing names are %q", names)
		}
	})
}

// TestManyNames spreads the lookups, has few at once, and begins each round in time also if
// no lookup has an answer.
func TestManyNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(map[string]string{})
		var text strings.Builder
		text.WriteString("resolve=60\nvirtual=10.0.0.1:80\n    service=http\n")
		for i := range 1000 {
			name := fmt.Sprintf("web%d.example.com", i)
			z.addrs[name] = fmt.Sprintf("10.1.%d.%d", i/250, i%250+1)
			text.WriteString("    real=" + name + ":80 masq\n")
		}
		s := begin(t, z, text.String())
		z.lookups()
		time.Sleep(time.Minute + 31*time.Second)
		asked, most := z.lookups()
		if len(asked) != 1000 || most > atOnce {
			t.Fatalf("%d lookups, %d at once, want 1000, at most %d", len(asked), most, atOnce)
		}
		at := func(lookup string) time.Duration {
			_, text, _ := strings.Cut(lookup, " ")
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		if took := at(asked[999]) - at(asked[0]); took < 25*time.Second || took > 30*time.Second {
			t.Errorf("the lookups are from %s to %s, want half a minute", asked[0], asked[999])
		}
		z.fail(nil, true)
		time.Sleep(30 * time.Minute)
		if _, most := z.lookups(); most > atOnce {
			t.Errorf("%d lookups at once without an answer, want at most %d", most, atOnce)
		}
		z.fail(nil, false)
		z.set("web7.example.com", "10.9.0.1")
		time.Sleep(15 * time.Minute)
		if !s.changed() {
			t.Error("no change after the resolver was silent for half an hour")
		}
	})
}

// TestNoResolve looks nothing up, and stops at once when resolve is off again.
func TestNoResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(standard())
		s := begin(t, z, strings.Replace(file, "resolve=60\n", "", 1))
		z.lookups()
		time.Sleep(time.Hour)
		if asked, _ := z.lookups(); len(asked) > 0 {
			t.Errorf("lookups without resolve: %q", asked)
		}
		s.text = file
		s.read(true)
		z.lookups()
		time.Sleep(10*time.Minute + time.Second)
		if asked, _ := z.lookups(); len(asked) != 3*10 {
			t.Errorf("%d lookups in ten minutes with resolve, want 30", len(asked))
		}
	})
}

// TestFixedNames does not look up the names of virtual services and fallbacks again.
func TestFixedNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(map[string]string{"vip": "10.0.0.1", "sorry": "10.1.0.9", "web1": "10.1.0.1"})
		s := begin(t, z, "resolve=60\nfallback=sorry:80\nvirtual=vip:80\n    real=web1:80 masq\n    service=http\n")
		s.read(true)
		z.lookups()
		time.Sleep(2*time.Minute + time.Second)
		if asked, _ := z.lookups(); len(asked) != 2 || !strings.HasPrefix(asked[0], "web1 ") || !strings.HasPrefix(asked[1], "web1 ") {
			t.Errorf("lookups of %q, want web1 each minute", asked)
		}
		z.fail(errors.New("SERVFAIL"), false)
		if got := s.read(true); got != "10.1.0.1" {
			t.Errorf("a reload without the resolver: %q", got)
		}
		if names, _ := s.Failing(); names != nil { // the first lookup has failed: no other was made
			t.Errorf("the failing names are %q, want none of a virtual service", names)
		}
	})
}

// TestRefused reports a change again until it is in force.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(standard())
		s := begin(t, z, file)
		time.Sleep(90 * time.Second)
		z.set("web1", "10.1.0.9")
		for range 3 {
			time.Sleep(time.Minute)
			if !s.changed() {
				t.Fatal("no change")
			}
			s.Refused()
		}
		time.Sleep(time.Minute)
		if !s.changed() {
			t.Fatal("no change")
		}
		time.Sleep(time.Hour)
		if s.changed() {
			t.Error("a change that is in force is reported again")
		}
	})
}

// TestNilBook has no names.
func TestNilBook(t *testing.T) {
	var b *Book
	b.Run(t.Context())
	b.Refused()
	b.Use(&conf.Config{}, b.Read(true))
	if names, why := b.Failing(); names != nil || why != nil || b.Changes() != nil {
		t.Error("a nil Book has something")
	}
	if o := b.Read(true).Into(conf.Options{}); o.LookupHost != nil || o.LookupReal != nil {
		t.Error("a nil Reading sets options")
	}
}
