package status

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
)

const drainOne = `{"verb":"drain","real":"10.1.0.1:80"}`

// TestUnauthorised tries to steer a daemon in ways that must not work.
func TestUnauthorised(t *testing.T) {
	h := newHouse(t, plainConfig)
	good := "Bearer " + token
	json := "application/json"
	const orders = "/api/v1/orders"
	tests := []struct {
		name         string
		control      bool
		method, path string
		body         string
		header       []string
		want         int
	}{
		{"read-only, without a token", false, "POST", orders, drainOne, nil, 403},
		{"read-only, with the token", false, "POST", orders, drainOne, []string{"Authorization", good}, 403},
		{"no token", true, "POST", orders, drainOne, nil, 401},
		{"wrong token", true, "POST", orders, drainOne, []string{"Authorization", "Bearer 0123456789abcdeg"}, 401},
		{"beginning of the token", true, "POST", orders, drainOne, []string{"Authorization", "Bearer 0123456789"}, 401},
		{"token and more", true, "POST", orders, drainOne, []string{"Authorization", good + "0"}, 401},
		{"empty token", true, "POST", orders, drainOne, []string{"Authorization", "Bearer "}, 401},
		{"other scheme", true, "POST", orders, drainOne, []string{"Authorization", "Basic " + token}, 401},
		{"two tokens", true, "POST", orders, drainOne, []string{"Authorization", "Bearer x", "Authorization", good}, 401},
		{"token in the query", true, "POST", orders + "?token=" + token, drainOne, nil, 401},
		{"token in a cookie", true, "POST", orders, drainOne, []string{"Cookie", "token=" + token}, 401},
		{"another origin's page", true, "POST", orders, drainOne, []string{"Authorization", good, "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"an old browser's page", true, "POST", orders, drainOne, []string{"Authorization", good, "Origin", "http://evil.example"}, 403},
		{"a form", true, "POST", orders, "verb=drain", []string{"Authorization", good, "Content-Type", "application/x-www-form-urlencoded"}, 400},
		{"plain text", true, "POST", orders, drainOne, []string{"Authorization", good, "Content-Type", "text/plain"}, 400},
		{"with GET", true, "GET", orders, "", []string{"Authorization", good}, 405},
		{"unknown field", true, "POST", orders, `{"verb":"drain","real":"10.1.0.1:80","by":"root"}`, []string{"Authorization", good, "Content-Type", json}, 400},
		{"two values", true, "POST", orders, drainOne + drainOne, []string{"Authorization", good}, 400},
		{"too large", true, "POST", orders, `{"verb":"` + strings.Repeat("x", requestSize) + `"}`, []string{"Authorization", good}, 400},
		{"no JSON", true, "POST", orders, "drain", []string{"Authorization", good}, 400},
		{"unknown verb", true, "POST", orders, `{"verb":"stop","real":"10.1.0.1:80"}`, []string{"Authorization", good}, 422},
		{"unknown real server", true, "POST", orders, `{"verb":"drain","real":"10.1.0.9"}`, []string{"Authorization", good}, 404},
		{"line break in a comment", true, "POST", orders, `{"verb":"drain","real":"10.1.0.1:80","comment":"a\nb"}`, []string{"Authorization", good}, 422},
		{"endless time", true, "POST", orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":1e300}`, []string{"Authorization", good}, 400},
		{"recheck without a token", true, "POST", "/api/v1/recheck", `{}`, nil, 401},
		{"plan without a token", true, "GET", "/api/v1/plan", "", nil, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusControl: tt.control, StatusToken: h.path("token")}})
			w := h.requestWith(outside, tt.method, tt.path, tt.body, tt.header)
			if w.Code != tt.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
	snap := h.await(t, func(*report.Snapshot) bool { return true })
	if o := snap.Virtuals[0].Reals[0].Override; o != nil {
		t.Errorf("after all that the order %s is in force", o)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.logged {
		if strings.Contains(line, token) {
			t.Errorf("the log tells the token: %s", line)
		}
	}
}

// requestWith is request with a header, which counts before the usual one.
func (h *house) requestWith(d *door, method, path, body string, header []string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Content-Type" {
			r.Header.Del("Content-Type")
		}
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler(d).ServeHTTP(w, r)
	return w
}

// A token file that everybody can read, or that says too little, is none.
func TestTokenFile(t *testing.T) {
	h := newHouse(t, plainConfig)
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token")}})
	authorised := []string{"Authorization", "Bearer " + token}
	if w := h.requestWith(outside, "POST", "/api/v1/orders", drainOne, authorised); w.Code != http.StatusOK {
		t.Fatalf("with the token: %d %s", w.Code, w.Body)
	}
	spoil := map[string]func() error{
		"readable by all": func() error { return os.Chmod(h.path("token"), 0o644) },
		"short": func() error {
			return os.WriteFile(h.path("token"), []byte("short"), 0o600)
		},
		"gone": func() error { return os.Remove(h.path("token")) },
	}
	for _, name := range []string{"readable by all", "short", "gone"} {
		if err := spoil[name](); err != nil {
			t.Fatal(err)
		}
		for _, header := range [][]string{authorised, {"Authorization", "Bearer short"}, {"Authorization", "Bearer "}} {
			if w := h.requestWith(outside, "POST", "/api/v1/orders", drainOne, header); w.Code != http.StatusForbidden {
				t.Errorf("token file %s: %d %s, want 403", name, w.Code, w.Body)
			}
		}
		if err := os.Chmod(h.path("token"), 0o600); err != nil && name != "gone" {
			t.Fatal(err)
		}
	}
}
