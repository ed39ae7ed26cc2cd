package status

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A busy director has connections, whose numbers change in each snapshot.
type busy struct{ *director.Director }

// Snapshot implements Director.
func (d busy) Snapshot(ctx context.Context) (*report.Snapshot, error) {
	s, err := d.Director.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		for j := range v.Reals {
			n := uint32(hashOf(v.Reals[j].Name, time.Now().Unix()))
			v.Reals[j].Active, v.Reals[j].Inactive, v.Reals[j].Stats.ConnectionRate = n%5000, n%700, uint64(n%90)
		}
		v.Stats.ConnectionRate = hashOf(v.ID, time.Now().Unix()) % 5000
	}
	return s, nil
}

func hashOf(name string, n int64) uint64 {
	h := uint64(n)*0x9e3779b97f4a7c15 + 0xcbf29ce484222325
	for i := range len(name) { // FNV-1a
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return h ^ h>>29
}

// A crowd is a Server with many real servers in a bubble of fake time. Of each 50 real
// servers one flaps, if flapping is set: it is down for 4 s and up for 4 s.
type crowd struct{ *Server }

func newCrowd(t *testing.T, virtuals int, flapping bool) crowd {
	t.Helper()
	d := director.New(director.Options{
		Table: ipvs.NewMemory(), Sink: func(event.Event) {},
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, attempts int) engine.Result {
			n := hashOf(c.String(), time.Now().UnixNano())
			took := time.Duration(n%5000) * time.Microsecond
			if flapping && hashOf(c.String(), 0)%50 == 0 && time.Now().Unix()/4%2 == 0 {
				return engine.Result{Err: errors.New("503 Service Unavailable"), Attempts: attempts, Took: took}
			}
			return engine.Result{Attempts: 1, Detail: "200 OK", Took: took}
		},
	})
	cfg, err := conf.Parse("t.cf", []byte("checkinterval=2\nfailurecount=1\n"+many(virtuals)), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	cfg.CheckRate = 1 << 20
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, cfg) }()
	s := New(Options{Director: busy{d}, Log: t.Logf})
	time.Sleep(6 * time.Second)
	t.Cleanup(func() {
		cancel()
		<-ended
		s.Close()
	})
	return crowd{s}
}

// A received keeps what a client gets. It has what a stream needs of a connection.
type received struct {
	*httptest.ResponseRecorder
}

func (received) SetReadDeadline(time.Time) error  { return nil }
func (received) SetWriteDeadline(time.Time) error { return nil }

// watch gets a page and its stream for a time, and returns what was received: the page, the
// events, and all bytes of both as they were sent.
func (c crowd) watch(t *testing.T, query string, lasts time.Duration) (page, events string, sent int) {
	t.Helper()
	page, sent = c.fetch(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, nil))
	events, more := c.stream(t, query, pageVersion(page), lasts)
	return page, events, sent + more
}

// stream gets the stream of a client that has a version, for a time.
func (c crowd) stream(t *testing.T, query, version string, lasts time.Duration) (events string, sent int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/stream?"+query, nil)
	r.Header.Set("Last-Event-ID", version)
	return c.fetch(t, r)
}

func (c crowd) fetch(t *testing.T, r *http.Request) (text string, sent int) {
	t.Helper()
	w := received{httptest.NewRecorder()}
	r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	c.handler(outside).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v", r.URL, w.Code, w.Header())
	}
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.String(), w.Body.Len()
	}
	return unzipped(t, w.Body.Bytes()), w.Body.Len()
}

func unzipped(t *testing.T, b []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageBytes bounds what a reader of 5,000 real servers gets in 20 s, with the page, all
// whose connections and latencies move.
func TestPageBytes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		query    string
		flapping bool
		most     int
	}{
		"no change":       {"", false, 250_000},
		"100 flap":        {"", true, 350_000},
		"by connections":  {"sort=connections&vsort=connections", true, 350_000},
		"filtered":        {"q=10.7.0.", true, 350_000},
		"one service":     {"virtual=tcp:10.0.0.7:80", true, 250_000},
		"one real server": {"virtual=tcp:10.0.0.7:80&real=10.7.0.9:80", true, 30_000},
	} {
		if testing.Short() && tt.query != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				page, events, sent := newCrowd(t, 50, tt.flapping).watch(t, tt.query, 20*time.Second)
				t.Logf("%d bytes; unzipped the page has %d, the stream %d", sent, len(page), len(events))
				if sent > tt.most {
					t.Errorf("a reader gets %d bytes in 20 s, want at most %d", sent, tt.most)
				}
				if n := strings.Count(events, "event: age\n"); n < 10 {
					t.Errorf("the age of the data was sent %d times in 20 s, want 10", n)
				}
				flaps := strings.Contains(events, "503 Service Unavailable")
				if tt.query == "" && flaps != tt.flapping {
					t.Errorf("the stream has the failures of those that flap: %v", flaps)
				}
			})
		})
	}
}

// TestPageBytesDoNotGrow has ten times the real servers cost a reader about as many bytes.
func TestPageBytesDoNotGrow(t *testing.T) {
	sizes := map[int]int{}
	for _, virtuals := range []int{10, 100} {
		synctest.Test(t, func(t *testing.T) {
			_, _, sizes[virtuals] = newCrowd(t, virtuals, false).watch(t, "", 20*time.Second)
		})
	}
	if few, all := sizes[10], sizes[100]; all > 2*few {
		t.Errorf("1,000 real servers: %d bytes, 10,000: %d", few, all)
	}
}

// TestZips has the answers above the limit sent as they are, and a place free again after an
// answer.
func TestZips(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	z := make(zips, 1)
	for coding, want := range map[string]bool{
		"": false, "identity": false, "gzip": true, "br, GZip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "deflate,x-gzip": true, "gzipped": false,
	} {
		r.Header.Set("Accept-Encoding", coding)
		w := httptest.NewRecorder()
		got := z.zip(w, r)
		if (got != nil) != want || (w.Header().Get("Content-Encoding") == "gzip") != want {
			t.Errorf("Accept-Encoding: %s: compressed %v, want %v", coding, got != nil, want)
		}
		if got != nil && z.zip(httptest.NewRecorder(), r) != nil {
			t.Error("there is no limit to compressed answers")
		}
		got.close()
	}
}
