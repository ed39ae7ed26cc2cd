package fleet

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
)

const secretToken = "0123456789abcdef0123456789abcdef"

// file writes a file of the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newFleet is a fleet with a token.
func newFleet(t *testing.T, cfg conf.StatusServer) *Fleet {
	t.Helper()
	cfg.StatusToken = file(t, "token", secretToken+"\n")
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// answering is a server with one answer to everything.
func answering(t *testing.T, status int, kind, text string) string {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	})
}

func serving(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// until blocks a handler until its client has gone. The server looks for that once the body
// has been read.
func until(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

const obeyed = `{"obeyed":[{"verb":"drain","virtual":"tcp:10.0.0.1:80","real":"10.1.0.1:80","by":"x"}]}`

// TestBadDirectors gives an order to directors that cannot obey, beside one that does: each has
// a clear line, none delays the others, and no line has the token.
func TestBadDirectors(t *testing.T) {
	const isJSON = "application/json"
	var followed atomic.Int32
	elsewhere := serving(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for name, tt := range map[string]struct{ director, want string }{
		"closed":             {lab.HoldPort(t).String(), "no contact: connection refused"},
		"500 in HTML":        {answering(t, 500, "text/html", "<h1>oops</h1>"), "it answers 500 Internal Server Error, which is no answer of ldirectord"},
		"500 in JSON":        {answering(t, 500, isJSON, `{"error":"the disk is full"}`), "the disk is full"},
		"HTML":               {answering(t, 200, "text/html; charset=utf-8", "<html>"), `it answers with "text/html" and not with JSON: no ldirectord listens there`},
		"broken JSON":        {answering(t, 200, isJSON, `{"obeyed":[`), "its answer cannot be understood, perhaps it is another version of ldirectord: unexpected EOF"},
		"other JSON":         {answering(t, 200, isJSON, `[1]`), "its answer cannot be understood, perhaps it is another version of ldirectord: json: cannot unmarshal array into Go value of type wire.OrderAnswer"},
		"a wrong token":      {answering(t, 401, isJSON, `{"error":"the token is missing or wrong"}`), "the token is missing or wrong: each director has to have the same statustoken and statusreadtoken"},
		"another version":    {answering(t, 404, isJSON, `{"error":"there is nothing at this path: see docs/monitoring/openapi.yaml"}`), "it is another version of ldirectord, which does not have this request"},
		"not configured":     {answering(t, 404, isJSON, `{"error":"real server web1: not in the configuration"}`), "real server web1: not in the configuration"},
		"bad words":          {answering(t, 422, isJSON, `{"error":"a\u001b[2Jb\nc"}`), "a [2Jb c"},
		"hangs":              {serving(t, func(_ http.ResponseWriter, r *http.Request) { until(r) }), "no contact: it does not answer in time; whether it has got the order is not known"},
		"a name without end": {"nosuch.invalid:9180", "no contact: the name nosuch.invalid cannot be looked up"},
		"a redirect": {serving(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+elsewhere+"/", http.StatusTemporaryRedirect)
		}), "it answers with a redirect to http://" + elsewhere + "/, which is not followed"},
		"a slow body": {serving(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", isJSON)
			fmt.Fprint(w, `{"obeyed":[`)
			_ = http.NewResponseController(w).Flush()
			until(r)
		}), "no contact: its answer did not end in time; whether it has got the order is not known"},
		"an endless body": {serving(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", isJSON)
			fmt.Fprint(w, `{"warning":"`)
			for text := strings.Repeat("x", 1<<16); ; {
				if _, err := fmt.Fprint(w, text); err != nil {
					return
				}
			}
		}), "its answer is longer than 1 MiB and was not read to its end"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, conf.StatusServer{Directors: []string{tt.director, answering(t, 200, isJSON, obeyed)}})
			f.limit = 1 << 20
			ctx := t.Context()
			if strings.Contains(tt.want, "in time") {
				var cancel func()
				ctx, cancel = context.WithTimeout(ctx, time.Second)
				defer cancel()
			}
			answers, err := f.Order(ctx, report.Order{Verb: report.Drain, Real: "10.1.0.1"})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(answers[0].Err); !strings.HasPrefix(got, tt.want) || strings.Contains(got, secretToken) {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if answers[1].Err != nil || len(answers[1].Value.Obeyed) != 1 {
				t.Errorf("the other one: %+v", answers[1])
			}
			if diff := cmp.Diff([]string{tt.director}, Failed(answers)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if n := followed.Load(); n > 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
}

// TestTLS asks by TLS, and what is not accepted gets no request.
func TestTLS(t *testing.T) {
	var requests atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+secretToken {
			t.Error("the token is not sent")
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, obeyed)
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail on purpose
	s.StartTLS()
	at := s.Listener.Addr().String()
	ca := file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	_, port, _ := net.SplitHostPort(at)
	for name, tt := range map[string]struct {
		cfg   conf.StatusServer
		want  string
		comes int32
	}{
		"the authority":     {conf.StatusServer{StatusCA: ca, Directors: []string{at}}, "<nil>", 1},
		"another authority": {conf.StatusServer{StatusCert: "/c", Directors: []string{at}}, "its certificate is not accepted: x509: certificate signed by unknown authority: statusca has to name its authority", 0},
		"another name":      {conf.StatusServer{StatusCA: ca, Directors: []string{"localhost:" + port}}, "its certificate is not accepted: x509: certificate is valid for example.com, *.example.com, not localhost", 0},
		"no TLS here":       {conf.StatusServer{Directors: []string{at}}, "it speaks TLS, and is asked in plain text: statuscert or statusca is missing here", 0},
		"no TLS there":      {conf.StatusServer{StatusCA: ca, Directors: []string{answering(t, 200, "application/json", obeyed)}}, "it does not speak TLS: statuscert is missing there, or another program listens", 0},
	} {
		t.Run(name, func(t *testing.T) {
			requests.Store(0)
			answers, err := newFleet(t, tt.cfg).Order(t.Context(), report.Order{Verb: report.Drain, Real: "10.1.0.1"})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(answers[0].Err); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if n := requests.Load(); n != tt.comes {
				t.Errorf("%d requests came, want %d", n, tt.comes)
			}
		})
	}
}

// TestWhichToken sends readers' requests with the token of readers, and orders with that of
// orders.
func TestWhichToken(t *testing.T) {
	var got atomic.Value
	at := serving(t, func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{}`)
	})
	orders, readers := file(t, "o", secretToken), file(t, "r", "readers-readers-readers")
	for name, tt := range map[string]struct {
		cfg   conf.StatusServer
		right Right
		want  string
	}{
		"an order":                {conf.StatusServer{StatusToken: orders, StatusReadToken: readers}, ToOrder, "Bearer " + secretToken},
		"an order without one":    {conf.StatusServer{StatusReadToken: readers}, ToOrder, "orders for all directors need a token: statustoken"},
		"a reader":                {conf.StatusServer{StatusToken: orders, StatusReadToken: readers}, ToRead, "Bearer readers-readers-readers"},
		"a reader without one":    {conf.StatusServer{StatusToken: orders}, ToRead, ""},
		"a plan":                  {conf.StatusServer{StatusToken: orders, StatusReadToken: readers}, ToKnow, "Bearer readers-readers-readers"},
		"a plan without readers'": {conf.StatusServer{StatusToken: orders}, ToKnow, "Bearer " + secretToken},
		"a file that is missing":  {conf.StatusServer{StatusToken: "/nosuch"}, ToOrder, "the token for the directors cannot be used: statustoken: stat /nosuch: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			got.Store("")
			tt.cfg.Directors = []string{at}
			f, err := New(tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			var words string
			if _, err := Ask(t.Context(), f, tt.right, func(ctx context.Context, c *client.Client) (any, error) { return c.Plan(ctx) }); err != nil {
				words = err.Error()
			} else {
				words = got.Load().(string)
			}
			if words != tt.want {
				t.Errorf("%q, want %q", words, tt.want)
			}
		})
	}
}

// TestAuthorities has files that are no certificates.
func TestAuthorities(t *testing.T) {
	for _, path := range []string{"/nosuch", file(t, "x", "no PEM")} {
		if _, err := New(conf.StatusServer{StatusCA: path, Directors: []string{"d1:1"}}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
