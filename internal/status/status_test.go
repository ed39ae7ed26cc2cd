package status

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const plainConfig = `checkinterval=1
failurecount=1
virtual=10.0.0.1:80
    servicename=Shop & <b>Co</b>
    real=10.1.0.1:80 masq 5
    real=10.1.0.2:80 masq 3
    fallback=127.0.0.1:8080 masq
    service=http
    passwd="geheim"
virtual=8
    real=10.1.0.3:443 gate
    checktype=connect
    checkport=443
`

const token = "0123456789abcdef"

// A house is a Server with a director at work behind it, whose real servers
// answer what the test wants.
type house struct {
	*Server
	director *director.Director
	table    *ipvs.Memory
	dir      string

	mu     sync.Mutex
	broken map[string]string // by address, what it answers
	logged []string
}

// planned is the plan of a house.
var planned = report.Plan{Changes: []string{"-D -f 8"}, LeftOut: []report.LeftOut{{Change: "virtual service 10.0.0.7:80", Reason: "process 7 has it"}}}

func newHouse(tb testing.TB, config string) *house {
	tb.Helper()
	h := &house{table: ipvs.NewMemory(), broken: map[string]string{}, dir: tb.TempDir()}
	addresses := virtual.NewAddresses()
	h.director = director.New(director.Options{
		Table: h.table, Ask: h.ask, Addresses: addresses,
		Sink: func(e event.Event) { h.Server.Event(e) },
	})
	if err := os.WriteFile(h.path("token"), []byte(token+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	h.Server = New(Options{
		Director: h.director, Version: "1.2", Log: h.log, Served: addresses.States,
		Socket: h.path("s"), Overrides: h.path("orders/o.json"),
		Plan:        func(context.Context) (report.Plan, error) { return planned, nil },
		Connections: someConnections,
		Queues:      func() []Queue { return []Queue{{Name: "mail", Waiting: 2, Dropped: 3}} },
	})
	cfg, err := conf.Parse("t.cf", []byte(config), conf.Options{Hostname: "director"})
	if err != nil {
		tb.Fatal(err)
	}
	cfg.CheckRate = 1 << 20
	ctx, cancel := context.WithCancel(tb.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.director.Run(ctx, cfg) }()
	h.Use(cfg)
	tb.Cleanup(func() {
		cancel()
		<-ended
		h.Close()
	})
	h.await(tb, func(s *report.Snapshot) bool { return s.Ready })
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) log(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logged = append(h.logged, fmt.Sprintf(format, args...))
}

func (h *house) ask(_ context.Context, c checker.Checker, _ time.Duration, attempts int) engine.Result {
	h.mu.Lock()
	defer h.mu.Unlock()
	for at, answer := range h.broken {
		if strings.Contains(c.String(), at) {
			return engine.Result{Err: errors.New(answer), Attempts: attempts, Took: time.Millisecond, Sent: []byte("GET / geheim"), Received: []byte("no\r\n")}
		}
	}
	return engine.Result{Attempts: 1, Took: 2 * time.Millisecond, Detail: "200 OK"}
}

// breaks makes a real server answer that, and works makes it work again.
func (h *house) breaks(at, answer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken[at] = answer
}

// await waits until a snapshot is as it should be.
func (h *house) await(tb testing.TB, ok func(*report.Snapshot) bool) *report.Snapshot {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), eventually.Limit)
	defer cancel()
	for {
		s, err := h.director.Snapshot(ctx)
		if err != nil {
			tb.Fatal(err)
		}
		if ok(s) {
			h.source.forget()
			return s
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func someConnections() iter.Seq2[wire.Connection, error] {
	return func(yield func(wire.Connection, error) bool) {
		for i := range 5 {
			c := wire.Connection{Protocol: "TCP", Client: fmt.Sprintf("10.9.0.%d:5000", i), Virtual: "10.0.0.1:80", Real: fmt.Sprintf("10.1.0.%d:80", i%2+1), State: "ESTABLISHED", Expires: 61}
			c.Persistence = i == 4
			if !yield(c, nil) {
				return
			}
		}
		yield(wire.Connection{}, errors.New("the kernel is tired"))
	}
}

// outside is the door of statuslisten.
var outside = &door{place: place{at: "127.0.0.1:9180"}}

// get asks at a door.
func (h *house) get(d *door, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler(d).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestHealthAndReadiness(t *testing.T) {
	h := newHouse(t, plainConfig)
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := h.get(outside, path); w.Code != http.StatusOK {
			t.Errorf("%s of a daemon that works: %d %s", path, w.Code, w.Body)
		}
	}
	snap, err := h.source.get()
	if err != nil {
		t.Fatal(err)
	}
	late := *snap
	late.Ready, late.Lag.Unheard, late.Lag.Silent = false, 2, 100
	h.source.last, h.source.taken = &late, time.Now().Add(time.Hour)
	for path, want := range map[string]string{
		"/readyz":  "2 of 3 checks have not been made yet\n",
		"/healthz": "no check was begun for 1m40s\n",
	} {
		if w := h.get(outside, path); w.Code != http.StatusServiceUnavailable || w.Body.String() != want {
			t.Errorf("%s of a daemon that is late: %d %q, want 503 %q", path, w.Code, w.Body, want)
		}
	}
}

// A director that has ended, or hangs, is no reason to wait for ever.
func TestDeadDirector(t *testing.T) {
	d := director.New(director.Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}})
	s := New(Options{Director: d, Log: t.Logf})
	s.Close()
	h := &house{Server: s}
	if w := h.get(outside, "/healthz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("/healthz without a director: %d %s", w.Code, w.Body)
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := newHouse(t, plainConfig)
	for _, path := range []string{"/", "/api/v1/snapshot", "/style.css", "/nothing"} {
		header := h.get(outside, path).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if !strings.HasPrefix(header.Get(name), want) {
				t.Errorf("%s: %s is %q, want %q", path, name, header.Get(name), want)
			}
		}
		if policy := header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

// many is a configuration of virtual services with 100 real servers each.
func many(virtuals int) string {
	var b strings.Builder
	for i := range virtuals {
		fmt.Fprintf(&b, "virtual=10.0.%d.%d:80\n    service=http\n    real=10.%d.0.1->10.%d.0.100:80 masq\n", i/250, i%250+1, i%250+1, i%250+1)
	}
	return b.String()
}

// What one look costs, with 10,000 real servers.
func BenchmarkLook(b *testing.B) {
	h := newHouse(b, many(100))
	for _, path := range []string{"/", "/metrics", "/api/v1/snapshot"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.source.forget()
				h.page.mu.Lock()
				h.page.last = nil
				h.page.mu.Unlock()
				if w := h.get(outside, path); w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
