package status

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// everyVerb has an order of each verb, as it is sent. 10.1.0.2 is disabled before.
var everyVerb = []string{
	`{"verb":"drain","real":"10.1.0.1"}`,
	`{"verb":"disable","real":"10.1.0.1","for_seconds":3600}`,
	`{"verb":"weight","real":"10.1.0.1","weight":9}`,
	`{"verb":"enable","real":"10.1.0.2"}`,
}

// A slowTable answers neither looks nor changes while it hangs.
type slowTable struct {
	*ipvs.Memory
	hangs chan struct{} // has an entry when it hangs

	mu           sync.Mutex
	look, change chan struct{} // closed when it goes on; nil: it does not hang
}

func (h *slowTable) wait(gate *chan struct{}) {
	h.mu.Lock()
	until := *gate
	h.mu.Unlock()
	if until == nil {
		return
	}
	select {
	case h.hangs <- struct{}{}:
	default:
	}
	<-until
}

func (h *slowTable) ReadEach(use func(*ipvs.Entry)) error {
	h.wait(&h.look)
	return h.Memory.ReadEach(use)
}

func (h *slowTable) Apply(c ipvs.Change) error {
	h.wait(&h.change)
	return h.Memory.Apply(c)
}

// hang has the table hang, at a look or at a change, until goOn is called.
func (h *slowTable) hang(gate *chan struct{}) (goOn func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	until := make(chan struct{})
	*gate = until
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		*gate = nil
		close(until)
	}
}

// A hangingHouse is a house whose table can hang.
type hangingHouse struct {
	*house
	table *slowTable
}

// newHangingHouse has no open door.
func newHangingHouse(t *testing.T) *hangingHouse {
	t.Helper()
	table := &slowTable{Memory: ipvs.NewMemory(), hangs: make(chan struct{}, 1)}
	h := &house{table: table.Memory, broken: map[string]string{}, dir: t.TempDir()}
	if err := os.WriteFile(h.path("token"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.director = director.New(director.Options{
		Table: table, Ask: h.ask, Sink: func(event.Event) {},
		Overrides: []report.Override{{Verb: report.Disable, Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.2:80", By: "root", Since: time.Unix(1, 0).UTC()}},
	})
	h.Server = New(Options{Director: h.director, Log: h.log, Overrides: h.path("orders/o.json")})
	cfg, err := conf.Parse("t.cf", []byte("statuscontrol=yes\nstatustoken="+h.path("token")+"\ndriftcheck=1\n"+plainConfig), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	h.cfg = cfg
	if err := h.book.replace(); err != nil { // for as long as a busy disk takes
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.director.Run(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		h.Close()
	})
	h.await(t, func(s *report.Snapshot) bool { return s.Ready })
	return &hangingHouse{house: h, table: table}
}

// kept is the overrides of the file.
func (h *hangingHouse) kept(t *testing.T) []report.Override {
	t.Helper()
	list, bad, err := ReadOverrides(h.path("orders/o.json"))
	if err != nil || bad != nil {
		t.Fatal(bad, err)
	}
	return list
}

// everyOrder runs a test for every verb and for both ways to give orders.
func everyOrder(t *testing.T, test func(t *testing.T, order string, d *door)) {
	for _, d := range []*door{{place: place{own: true}}, outside} {
		if testing.Short() && !d.own {
			continue
		}
		for _, order := range everyVerb {
			t.Run(fmt.Sprintf("own socket %v, %s", d.own, order), func(t *testing.T) { test(t, order, d) })
		}
	}
}

func orderRequest(order string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/orders", strings.NewReader(order))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// The kernel hangs, and the answer says in time what became of an order: the one that
// had no turn is not in force and never will be, the one that the kernel has not
// taken yet is in force and written down.
func TestOrderIsAnsweredInTime(t *testing.T) {
	everyOrder(t, func(t *testing.T, order string, d *door) {
		for _, turn := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := newHangingHouse(t)
				before := h.director.Overrides()
				gate, code, want := &h.table.look, http.StatusServiceUnavailable, "the order was not carried out: its turn did not come within 3s"
				if turn {
					gate, code, want = &h.table.change, http.StatusOK, "it is in force, and the kernel's table does not agree yet"
				}
				goOn := h.table.hang(gate)
				if !turn {
					<-h.table.hangs
				}
				w := httptest.NewRecorder()
				began := time.Now()
				h.handler(d).ServeHTTP(w, orderRequest(order))
				if w.Code != code || !strings.Contains(w.Body.String(), want) {
					t.Errorf("the answer is %d %s, want %d with %q", w.Code, w.Body, code, want)
				}
				if took := time.Since(began); took >= 5*time.Second {
					t.Errorf("it came after %v, when the command had given up", took)
				}
				if diff := cmp.Diff(h.director.Overrides(), h.kept(t), cmpopts.EquateEmpty()); diff != "" && turn {
					t.Errorf("in force and kept differ (-in force +kept):\n%s", diff)
				}
				goOn()
				time.Sleep(time.Minute)
				if same := cmp.Equal(before, h.director.Overrides()); same == turn {
					t.Errorf("in force before: %v, at the end: %v", before, h.director.Overrides())
				}
				if diff := cmp.Diff(h.director.Overrides(), h.kept(t), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("at the end in force and kept differ (-in force +kept):\n%s", diff)
				}
			})
		}
	})
}

// A client sends an order and goes, while the daemon or the kernel hangs. The order is
// dropped, or it is in force and written down.
func TestOrderOfAClientThatHasGone(t *testing.T) {
	t.Parallel()
	everyOrder(t, func(t *testing.T, order string, d *door) {
		for _, when := range []string{"before it is read", "before its turn", "while the kernel hangs"} {
			t.Run(when, func(t *testing.T) { orderAndGo(t, order, d, when) })
		}
	})
}

func orderAndGo(t *testing.T, order string, d *door, when string) {
	h := newHangingHouse(t)
	network, at := "tcp", "127.0.0.1:0"
	if d.own {
		network, at = "unix", h.path("s")
	}
	l, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	came, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	server, inner := h.server(d), h.handler(d)
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		close(came)
		<-goOn
		inner.ServeHTTP(w, r)
	})
	served := make(chan error, 1)
	go func() { served <- server.Serve(newGate(l)) }()
	defer func() { server.Close(); <-served }()

	before := h.director.Overrides()
	works := func() {}
	switch when {
	case "before its turn":
		works = h.table.hang(&h.table.look)
		<-h.table.hangs
	case "while the kernel hangs":
		works = h.table.hang(&h.table.change)
	}
	conn, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r := orderRequest(order)
	r.Host = l.Addr().String()
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	<-came
	if when == "before it is read" {
		conn.Close()
		close(goOn)
	} else {
		close(goOn)
		if when != "before its turn" {
			eventually.True(t, "the order is in force", func() bool { return !cmp.Equal(before, h.director.Overrides()) })
		}
		conn.Close()
	}
	<-ended
	if diff := cmp.Diff(h.director.Overrides(), h.kept(t), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("in force and kept differ (-in force +kept):\n%s", diff)
	}
	works()
	if _, err := h.director.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, h.director.Overrides()); diff != "" && when != "while the kernel hangs" {
		t.Errorf("the client has gone, and its order is in force (-before +now):\n%s", diff)
	}
	if diff := cmp.Diff(h.director.Overrides(), h.kept(t), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("at the end in force and kept differ (-in force +kept):\n%s", diff)
	}
}
