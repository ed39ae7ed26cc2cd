package status

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// FuzzOverridesFile has the file of orders hold anything: what is taken from it is what
// this program could have written.
func FuzzOverridesFile(f *testing.F) {
	f.Add([]byte(`[{"verb":"drain","virtual":"tcp:10.0.0.1:80","real":"10.1.0.1:80","weight":0,"since":"2026-01-01T00:00:00Z","by":"root"}]`))
	f.Add([]byte(`[{"verb":"weight","virtual":"fwm6:8","real":"[fd00::1]:80","weight":99999999}]`))
	f.Add([]byte(`[1,null,{},[],"x"]`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		good, bad, err := state.ParseEntries(text, report.Override.Check)
		if err != nil && len(good)+len(bad) > 0 {
			t.Errorf("a file that is no list has entries: %v, %v", good, bad)
		}
		for _, o := range good {
			if o.Weight < 0 || o.Weight > report.MaxWeight || strings.ContainsAny(o.String(), "\n\r\x1b") {
				t.Errorf("taken from the file: %q", o)
			}
			if _, err := json.Marshal(o); err != nil {
				t.Errorf("%q cannot be written again: %v", o, err)
			}
		}
	})
}

// fuzzed has a running director's interface asked anything.
func fuzzed(f *testing.F) (h *house, handler http.Handler) {
	h = newHouse(f, plainConfig)
	h.book.path = "" // a file for each order would be the most of the work
	return h, h.handler(&door{place: place{own: true}})
}

// FuzzOrders has anything sent as an order: what is obeyed can be written down and read
// again.
func FuzzOrders(f *testing.F) {
	for _, text := range []string{
		`{"verb":"drain","real":"10.1.0.1"}`, `{"verb":"weight","real":"10.1.0.1:80","weight":70000}`,
		`{"verb":"disable","real":"10.1.0.2","for_seconds":1e300}`, `{"verb":"enable","real":"[::]"}`,
		`{"verb":"drain","real":"10.1.0.1","comment":"\u0085\u202e"}`, `[]`, `{}{}`, "",
	} {
		f.Add([]byte(text))
	}
	h, handler := fuzzed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/orders", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%q is answered with %d: %s", body, w.Code, w.Body)
		}
		for _, o := range h.director.Overrides() {
			if err := o.Check(); err != nil {
				t.Errorf("%q is in force after %q: %v", o, body, err)
			}
		}
	})
}

// FuzzQueries has anything asked: the answer is one of JSON, and never a failure of the
// server.
func FuzzQueries(f *testing.F) {
	for _, query := range []string{"", "real=10.1.0.1", "virtual=tcp:10.0.0.1:80&limit=-1", "limit=99999999999999999999", "real=%00&verdicts=1", "%zz", "a;b"} {
		for path := range uint8(3) {
			f.Add(path, query)
		}
	}
	_, handler := fuzzed(f)
	paths := []string{"snapshot", "history", "why"} // the connections of a house end with a failure
	f.Fuzz(func(t *testing.T, path uint8, query string) {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/"+paths[int(path)%len(paths)], nil)
		r.URL = &url.URL{Path: r.URL.Path, RawQuery: query}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s?%s is answered with %d: %s", r.URL.Path, query, w.Code, w.Body)
		}
	})
}
