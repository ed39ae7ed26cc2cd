package engine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

type wishing struct{ made *int }

func (wishing) String() string { return "wishing" }

func (w wishing) Check(context.Context) (string, error) {
	*w.made++
	return "", checker.Wish{Drains: true, Answer: "leaving"}
}

// TestWishIsGood has answers that want no new connections: they are good, and no attempt follows.
func TestWishIsGood(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	at := netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://"))
	web := newHTTP(t, checker.HTTPOptions{Service: "http", Drain: checker.Statuses{{First: 404, Last: 404}}}, at, nil)
	made := 0
	e := New(Options{})
	defer e.Close()
	for want, c := range map[string]checker.Checker{"404 Not Found": web, "leaving": wishing{&made}} {
		r := e.Ask(t.Context(), c, 10*time.Second, 3)
		if r.Err != nil || !r.Drains || r.Detail != want || r.Attempts != 1 {
			t.Errorf("%s: %+v, want a good result that drains with %q after one attempt", c, r, want)
		}
	}
	if made != 1 {
		t.Errorf("the caller was called %d times", made)
	}
}
