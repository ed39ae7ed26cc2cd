package engine

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/perlre"
)

// The most frequent checks, over real sockets against Go's own server.
func TestHTTP(t *testing.T) {
	pages := http.NewServeMux()
	pages.HandleFunc("/lvs.html", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "This is a LVS Page") })
	pages.HandleFunc("/down", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "maintenance", http.StatusServiceUnavailable)
	})
	pages.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/lvs.html", http.StatusFound) })
	plain := httptest.NewServer(pages)
	defer plain.Close()
	secure := httptest.NewTLSServer(pages)
	defer secure.Close()
	pages.HandleFunc("/there", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://real.example:"+portOf(t, plain)+"/lvs.html", http.StatusFound)
	})
	receive, err := perlre.Compile("This is a LVS Page")
	if err != nil {
		t.Fatal(err)
	}
	trusting := secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trusting.ServerName = "example.com" // of the test server's certificate
	e := newEngine(t, Options{Resolver: names{"real.example": {netip.MustParseAddr("127.0.0.1")}}})
	tests := []struct {
		request string
		want    verdict
	}{
		{"/lvs.html", verdict{Detail: "200 OK"}},
		{"/here", verdict{Detail: "200 OK"}},
		{"/there", verdict{Detail: "200 OK"}},
		{"/down", verdict{Detail: "503 Service Unavailable", Err: "503 Service Unavailable"}},
	}
	for _, tt := range tests {
		for service, server := range map[string]*httptest.Server{"http": plain, "https": secure} {
			t.Run(service+tt.request, func(t *testing.T) {
				c := newHTTP(t, checker.HTTPOptions{Service: service, Request: tt.request, Receive: receive}, addrOf(t, server), trusting)
				if diff := cmp.Diff(tt.want, verdictOf(e.Ask(t.Context(), c, ample, 1))); diff != "" {
					t.Errorf("verdict (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// newHTTP is the check of a web server by options that are right.
func newHTTP(t *testing.T, o checker.HTTPOptions, addr netip.AddrPort, config *tls.Config) *checker.HTTP {
	t.Helper()
	if err := o.Complete(); err != nil {
		t.Fatal(err)
	}
	h, err := o.At(addr, config)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func addrOf(t *testing.T, s *httptest.Server) netip.AddrPort {
	t.Helper()
	addr, err := netip.ParseAddrPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func portOf(t *testing.T, s *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}
