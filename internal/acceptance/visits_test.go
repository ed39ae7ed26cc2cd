package acceptance

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Visits are requests through a virtual service, one after another at an even
// pace, whether the last one has been answered or not. While too many have not
// been, nobody comes: a guest on a busy machine would be kept from its work.
type visits struct {
	t testing.TB
	*book
}

// A book has all visits, in the order in which they began.
type book struct {
	mu   sync.Mutex
	list []*visit
}

// in are the visits for a subtest.
func (v *visits) in(t *testing.T) *visits { return &visits{t, v.book} }

// A visit is one request.
type visit struct {
	began  time.Time
	ended  bool
	server string // whose page it got
	err    error
}

const (
	// pace is how often somebody visits.
	pace = 50 * time.Millisecond
	// mostVisits is how many wait for their page at the same time.
	mostVisits = 10
)

// visit begins visits that go on until stop or the end of the test. ask is one
// request; it returns a page.
func (s *site) visit(ask func() (string, error)) (v *visits, stop func()) {
	v = &visits{s.t, &book{}}
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		places := make(chan struct{}, mostVisits)
		for {
			select {
			case places <- struct{}{}:
			case <-done:
				return
			}
			one := &visit{began: time.Now()}
			v.mu.Lock()
			v.list = append(v.list, one)
			v.mu.Unlock()
			running.Go(func() {
				v.make(one, ask)
				<-places
			})
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	stop = sync.OnceFunc(func() {
		close(done)
		running.Wait()
	})
	s.t.Cleanup(stop)
	return v, stop
}

func (v *visits) make(one *visit, ask func() (string, error)) {
	text, err := ask()
	v.mu.Lock()
	defer v.mu.Unlock()
	one.server, one.err, one.ended = pageOf(text), err, true
}

// pageOf is the server whose page a text is.
func pageOf(text string) string { return strings.TrimSpace(strings.TrimPrefix(text, page)) }

// next waits for that many visits that begin from now on, and returns them.
func (v *visits) next(n int) []visit {
	v.t.Helper()
	from := time.Now()
	var these []visit
	await(v.t, "so many visits", func() bool {
		these = v.since(from)
		return len(these) >= n && allEnded(these[:n])
	})
	return these[:n]
}

// since are the visits that began after a time.
func (v *visits) since(t time.Time) []visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	var these []visit
	for _, one := range v.list {
		if one.began.After(t) {
			these = append(these, *one)
		}
	}
	return these
}

func allEnded(list []visit) bool {
	for _, v := range list {
		if !v.ended {
			return false
		}
	}
	return true
}

// servedBy waits for visits and sees that none fails and that the pages are
// those of these servers, each at least once.
func (v *visits) servedBy(servers ...string) {
	v.t.Helper()
	want, got := map[string]bool{}, map[string]bool{}
	for _, s := range servers {
		want[s] = true
	}
	for _, one := range v.next(10) {
		if one.err != nil {
			v.t.Errorf("a visit failed: %v", one.err)
		} else if !want[one.server] {
			v.t.Errorf("a visit got the page %q, want one of %q", one.server, servers)
		}
		got[one.server] = true
	}
	for _, s := range servers {
		if !got[s] {
			v.t.Errorf("nobody got the page of %s", s)
		}
	}
}

// failed counts the visits that began after a time and have ended, and those of
// them that got an error or a page of nobody.
func (v *visits) failed(from time.Time) (bad, all int) {
	for _, one := range v.since(from) {
		if !one.ended {
			continue
		}
		if one.err != nil || !strings.HasPrefix(one.server, "rs") {
			bad++
		}
		all++
	}
	return bad, all
}
