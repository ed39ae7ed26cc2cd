package status

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// openAPI is the description of the interface, as a validator reads it.
func openAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(readDoc(t, "openapi.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIIsValid(t *testing.T) {
	if err := openAPI(t).Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOpenAPIKinds compares the kinds of events with those that are described.
func TestOpenAPIKinds(t *testing.T) {
	var described, kinds []string
	for _, kind := range openAPI(t).Components.Schemas["Kind"].Value.Enum {
		described = append(described, kind.(string))
	}
	for kind := event.Kind(0); kind.String() != "unknown"; kind++ {
		kinds = append(kinds, kind.String())
	}
	slices.Sort(described)
	slices.Sort(kinds)
	if diff := cmp.Diff(slices.Compact(kinds), described); diff != "" {
		t.Errorf("kinds of events (-sent +described):\n%s", diff)
	}
}

// TestAnswersAreAsDescribed validates requests and their answers, good and bad,
// against the description.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, plainConfig)
	h.breaks("10.1.0.2", "connection refused")
	h.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].Reals[1].State == report.StateDown })
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token")}})
	doc := openAPI(t)
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	good := "Bearer " + token
	const orders = "POST /api/v1/orders"
	tests := []struct {
		request, body, token string
		status               int
	}{
		{"GET /healthz", "", "", 200},
		{"GET /readyz", "", "", 200},
		{"GET /metrics", "", "", 200},
		{"GET /served/10.9.9.9", "", "", 404},
		{"GET /api/v1/served", "", "", 200},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":60,"comment":"x"}`, good, 200},
		{orders, `{"verb":"weight","real":"10.1.0.2","virtual":"tcp:10.0.0.1:80","weight":7}`, good, 200},
		{orders, `{"verb":"weight","real":"10.1.0.3","weight":0}`, good, 200},
		{orders, `{"verb":"weight","real":"10.1.0.3","percent":50}`, good, 200},
		{orders, `{"verb":"enable","real":"10.1.0.3"}`, good, 200},
		{orders, `{"verb":"weight","real":"10.1.0.3","percent":50,"weight":3}`, good, 400},
		{orders, `{"verb":"drain","real":"10.1.0.3","percent":50}`, good, 400},
		{"GET /api/v1/snapshot", "", "", 200},
		{"GET /api/v1/snapshot?real=10.1.0.1", "", "", 200},
		{"GET /api/v1/snapshot?real=10.9.9.9", "", "", 404},
		{"GET /api/v1/snapshot?real=", "", "", 400},
		{"GET /api/v1/history", "", "", 200},
		{"GET /api/v1/history?verdicts=1&limit=3", "", "", 200},
		{"GET /api/v1/history?limit=0", "", "", 400},
		{"GET /api/v1/why?real=10.1.0.2", "", "", 200},
		{"GET /api/v1/why", "", "", 400},
		{"GET /api/v1/why?real=10.9.9.9", "", "", 404},
		{"GET /api/v1/connections", "", "", 503},
		{"GET /api/v1/connections?limit=1", "", "", 200},
		{"GET /api/v1/plan", "", good, 200},
		{"GET /api/v1/plan", "", "", 401},
		{"GET /api/v1/plan/details", "", good, 200},
		{"GET /api/v1/plan/details", "", "", 401},
		{"POST /api/v1/recheck", `{}`, good, 200},
		{"POST /api/v1/recheck", `{"real":"10.9.9.9"}`, good, 404},
		{"POST /api/v1/recheck", `{"real":""}`, good, 400},
		{orders, `{"verb":"drain","real":"10.9.9.9"}`, good, 404},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","comment":"a\nb"}`, good, 422},
		{orders, `{"verb":"weight","real":"10.1.0.1:80"}`, good, 400},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","weight":3}`, good, 400},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":0}`, good, 400},
		{orders, `{"verb":"enable","real":"10.1.0.1:80","for_seconds":1}`, good, 400},
		{orders, drainOne, "", 401},
	}
	for _, tt := range tests {
		t.Run(tt.request+" "+tt.body, func(t *testing.T) {
			method, target, _ := strings.Cut(tt.request, " ")
			req := httptest.NewRequest(method, target, strings.NewReader(tt.body))
			if method == "POST" {
				req.Header.Set("Content-Type", "application/json")
			}
			if tt.token != "" {
				req.Header.Set("Authorization", tt.token)
			}
			w := httptest.NewRecorder()
			h.handler(outside).ServeHTTP(w, req)
			if w.Code != tt.status {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, tt.status)
			}
			route, params, err := router.FindRoute(req)
			if err != nil {
				t.Fatal(err)
			}
			req.Body = io.NopCloser(strings.NewReader(tt.body))
			input := &openapi3filter.RequestValidationInput{
				Request: req, PathParams: params, Route: route,
				Options: &openapi3filter.Options{
					AuthenticationFunc:    func(context.Context, *openapi3filter.AuthenticationInput) error { return nil },
					IncludeResponseStatus: true,
				},
			}
			// What the description allows is accepted, and what it forbids is not.
			err = openapi3filter.ValidateRequest(t.Context(), input)
			if described := err == nil; described != (tt.status != 400) {
				t.Errorf("the request is answered with %d, and the description says of it: %v", tt.status, err)
			}
			answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: w.Code, Header: w.Header(), Options: input.Options}
			answer.SetBodyBytes(w.Body.Bytes())
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/x-ndjson") {
				validateLines(t, doc, w.Body.Bytes())
				answer.Options = &openapi3filter.Options{ExcludeResponseBody: true, IncludeResponseStatus: true}
			}
			if err := openapi3filter.ValidateResponse(t.Context(), answer); err != nil {
				t.Errorf("the answer is not as described: %v\n%s", err, w.Body)
			}
		})
	}
}

// validateLines validates a listing of connections, a JSON value on each line.
func validateLines(t *testing.T, doc *openapi3.T, text []byte) {
	t.Helper()
	schemas := doc.Components.Schemas
	for line := range bytes.Lines(text) {
		var v any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		schema := schemas["Connection"].Value
		if bytes.HasPrefix(line, []byte(`{"error":`)) {
			schema = schemas["Failure"].Value
		}
		if err := schema.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestFailuresAreOfOneForm makes mistakes of every kind: the answer is JSON with
// one sentence in which nothing of the program's insides appears.
func TestFailuresAreOfOneForm(t *testing.T) {
	h := newHouse(t, plainConfig)
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token")}})
	const orders = "POST /api/v1/orders"
	tests := []struct {
		request, body string
		status        int
		want          string
	}{
		{orders, `{"verb":"weight","real":"10.1.0.1:80"}`, 400, "weight is missing: 0 to 2147483647"},
		{orders, `{"verb":"weight","real":"10.1.0.1:80","weight":null}`, 400, "weight is null: leave it out"},
		{orders, `{"verb":"weight","real":"10.1.0.1:80","weight":"5"}`, 400, "weight cannot be a string: a whole number is needed"},
		{orders, `{"verb":"weight","real":"10.1.0.1:80","weight":1.5}`, 400, "weight cannot be a number 1.5: a whole number is needed"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","weight":3}`, 400, "weight has no meaning for the verb drain"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","weight":0}`, 400, "weight has no meaning for the verb drain"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","percent":50}`, 400, "percent has no meaning for the verb drain"},
		{orders, `{"verb":"weight","real":"10.1.0.1:80","percent":50,"weight":3}`, 400, "weight and percent exclude each other"},
		{orders, `{"verb":"weight","real":"10.1.0.1:80","percent":30000}`, 422, "0 to 25600 percent"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":0}`, 400, "for_seconds must be above 0"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":-1}`, 400, "for_seconds must be above 0"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":1e-10}`, 400, "for_seconds must be above 0"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","for_seconds":1e400}`, 400, "for_seconds cannot be a number 1e400"},
		{orders, `{"verb":"enable","real":"10.1.0.1:80","for_seconds":60}`, 400, "for_seconds has no meaning for the verb enable"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","by":"root"}`, 400, `"by" is unknown: there are verb, real, virtual, weight, percent, for_seconds, comment`},
		{orders, `{"verb":"drain","Real":"10.1.0.1:80"}`, 400, `"Real" is unknown`},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","verb":"enable"}`, 400, "verb is there twice"},
		{orders, `{"verb":"drain"}`, 400, "real is missing"},
		{orders, `{"verb":"drain","real":""}`, 400, "real is missing"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80","virtual":""}`, 400, "virtual is empty: leave it out for all"},
		{orders, `{"verb":["drain"],"real":"10.1.0.1:80"}`, 400, "verb cannot be a array: a string is needed"},
		{orders, `[]`, 400, "must be a JSON object"},
		{orders, `"drain"`, 400, "must be a JSON object"},
		{orders, ``, 400, "the request is empty"},
		{orders, `{"verb":`, 400, "the JSON ends too early"},
		{orders, `{"verb" "drain"}`, 400, "is no JSON, see byte"},
		{orders, `{"verb":"drain","real":"10.1.0.1:80"} {}`, 400, "something follows"},
		{orders, `{"comment":"` + strings.Repeat("x", requestSize) + `"}`, 400, "larger than 16384 bytes"},
		{orders, `{"verb":"stop","real":"10.1.0.1:80"}`, 422, "drain, disable, enable, weight, withdraw and announce"},
		{"POST /api/v1/recheck", `{"real":""}`, 400, "real is empty: leave it out for all"},
		{"POST /api/v1/recheck", `{"virtual":""}`, 400, "virtual is empty"},
		{"POST /api/v1/recheck", `{"servers":[]}`, 400, `"servers" is unknown: there are real, virtual`},
		{"GET /api/v1/snapshot?virtual=", ``, 400, "parameter virtual is empty"},
		{"GET /api/v1/snapshot?virtual=a&virtual=b", ``, 400, "parameter virtual is there 2 times"},
		{"GET /api/v1/snapshot?x=1", ``, 400, `parameter "x" is unknown: there are virtual, real`},
		{"GET /api/v1/snapshot?%zz", ``, 400, "the query cannot be read"},
		{"GET /api/v1/history?limit=0", ``, 400, "limit must be a whole number above 0"},
		{"GET /api/v1/history?limit=", ``, 400, "parameter limit is empty"},
		{"GET /api/v1/history?verdicts=yes", ``, 400, "parameter verdicts must be 1, true, 0 or false"},
		{"GET /api/v1/connections?persistence=", ``, 400, "parameter persistence is empty"},
		{"GET /api/v1/connections?limit=0", ``, 400, "limit must be a whole number above 0"},
		{"GET /api/v1/events?x=1", ``, 400, `parameter "x" is unknown: there are none`},
		{"GET /api/v1/why", ``, 400, "real is missing"},
		{"GET /api/v1/orders", ``, 405, "takes POST alone"},
		{"DELETE /api/v1/snapshot", ``, 405, "takes GET alone"},
		{"GET /api/v1/none", ``, 404, "openapi.yaml"},
		{"GET /api/", ``, 404, "openapi.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.request+" "+tt.body[:min(len(tt.body), 80)], func(t *testing.T) {
			method, target, _ := strings.Cut(tt.request, " ")
			w := h.requestWith(outside, method, target, tt.body, []string{"Authorization", "Bearer " + token})
			var f wire.Failure
			if w.Code != tt.status || !strings.Contains(w.Header().Get("Content-Type"), "json") || json.Unmarshal(w.Body.Bytes(), &f) != nil || !strings.Contains(f.Error, tt.want) {
				t.Errorf("%d %s %s, want %d and JSON with %q", w.Code, w.Header().Get("Content-Type"), w.Body, tt.status, tt.want)
			}
			for _, inside := range []string{"json:", "Go ", "struct", "unmarshal", "status.", "director.", "http:", "invalid character", "EOF"} {
				if strings.Contains(w.Body.String(), inside) {
					t.Errorf("the answer shows %q: %s", inside, w.Body)
				}
			}
		})
	}
	foreign := h.requestWith(outside, "POST", "/api/v1/orders", drainOne, []string{"Authorization", "Bearer " + token, "Origin", "http://evil.example"})
	if foreign.Code != http.StatusForbidden || !strings.HasPrefix(foreign.Body.String(), `{"error":`) {
		t.Errorf("from another origin: %d %s", foreign.Code, foreign.Body)
	}
	snap := h.await(t, func(*report.Snapshot) bool { return true })
	if slices.ContainsFunc(snap.Virtuals[0].Reals, func(r report.RealState) bool { return r.Override != nil }) {
		t.Error("after all that an order is in force")
	}
}
