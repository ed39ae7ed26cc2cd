package checker

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/perlre"
)

var _ Talker = (*HTTP)(nil)

var realServer = netip.MustParseAddrPort("10.1.0.3:8080")

// newHTTP is the check of realServer by options that are right.
func newHTTP(tb testing.TB, o HTTPOptions) *HTTP {
	tb.Helper()
	return newHTTPAt(tb, o, realServer, nil)
}

// newHTTPAt is the check of a server by options that are right.
func newHTTPAt(tb testing.TB, o HTTPOptions, addr netip.AddrPort, config *tls.Config) *HTTP {
	tb.Helper()
	if o.Service == "" {
		o.Service = "http"
	}
	if err := o.Complete(); err != nil {
		tb.Fatal(err)
	}
	h, err := o.At(addr, config)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func compilePattern(tb testing.TB, perl string) *perlre.Pattern {
	tb.Helper()
	p, err := perlre.Compile(perl)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestHTTPRequest(t *testing.T) {
	v6 := netip.MustParseAddrPort("[fd00::3]:80")
	tests := []struct {
		name    string
		server  netip.AddrPort
		options HTTPOptions
		says    string
		target  string
		request string // the first line and the headers that matter, with "|" between
	}{
		{
			"the least", realServer,
			HTTPOptions{},
			"http GET http://10.1.0.3:8080/", "10.1.0.3:8080",
			"GET / HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"a path without its slash", realServer,
			HTTPOptions{Request: "index.html"},
			"http GET http://10.1.0.3:8080/index.html", "10.1.0.3:8080",
			"GET /index.html HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"slashes as written", realServer,
			HTTPOptions{Request: "//ok/../a?x=1&y=/2"},
			"http GET http://10.1.0.3:8080//ok/../a?x=***&y=***", "10.1.0.3:8080",
			"GET //ok/../a?x=1&y=/2 HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"what cannot stand in a request line", realServer,
			HTTPOptions{Request: "/a b\"<|>\r\nX: y%20%zz/ü"},
			"http GET http://10.1.0.3:8080/a%20b%22%3C%7C%3E%0D%0AX:%20y%20%zz/%C3%BC", "10.1.0.3:8080",
			"GET /a%20b%22%3C%7C%3E%0D%0AX:%20y%20%zz/%C3%BC HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"virtual host", realServer,
			HTTPOptions{VirtualHost: "www.example.com", HasVirtualHost: true, Method: "HEAD"},
			"http HEAD http://10.1.0.3:8080/", "10.1.0.3:8080",
			"HEAD / HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Connection: close",
		},
		{
			"empty virtual host", realServer,
			HTTPOptions{HasVirtualHost: true},
			"http GET http://10.1.0.3:8080/", "10.1.0.3:8080",
			"GET / HTTP/1.1|Host: |User-Agent: ldirectord|Connection: close",
		},
		{
			"IPv6", v6,
			HTTPOptions{Request: "/ok"},
			"http GET http://[fd00::3]:80/ok", "[fd00::3]:80",
			"GET /ok HTTP/1.1|Host: [fd00::3]|User-Agent: ldirectord|Connection: close",
		},
		{
			"https", realServer,
			HTTPOptions{Service: "https"},
			"https GET https://10.1.0.3:8080/", "10.1.0.3:8080 tls",
			"GET / HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"another URL", realServer,
			HTTPOptions{Request: "http://10.1.0.2:81/ok"},
			"http GET http://10.1.0.2:81/ok", "10.1.0.2:81",
			"GET /ok HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"a URL as a path goes to the real server", realServer,
			HTTPOptions{Request: "/http://10.1.0.2:81/ok"},
			"http GET http://10.1.0.3:8080/http://10.1.0.2:81/ok", "10.1.0.3:8080",
			"GET /http://10.1.0.2:81/ok HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"blanks at the end", realServer,
			HTTPOptions{Request: "/a b "},
			"http GET http://10.1.0.3:8080/a%20b", "10.1.0.3:8080",
			"GET /a%20b HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"a proxy's URL behind the slash of the configuration", realServer,
			HTTPOptions{Service: "http_proxy", Request: "/http://www.example.com/x "},
			"http_proxy GET http://www.example.com/x through 10.1.0.3:8080", "10.1.0.3:8080",
			"GET http://www.example.com/x HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Connection: close",
		},
		{
			"another URL by name, without path", realServer,
			HTTPOptions{Request: "https://www.example.com?a#b"},
			"http GET https://www.example.com/?a", "www.example.com:443 tls www.example.com",
			"GET /?a HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"a login in the URL", realServer,
			HTTPOptions{Request: "http://me:s%20cret@[fd00::3]/", HasVirtualHost: true, VirtualHost: "a"},
			"http GET http://[fd00::3]/", "[fd00::3]:80",
			"GET / HTTP/1.1|Host: a|User-Agent: ldirectord|Authorization: Basic bWU6cyBjcmV0|Connection: close",
		},
		{
			"a URL within a path", realServer,
			HTTPOptions{Request: "/login?next=http://www.example.com/"},
			"http GET http://10.1.0.3:8080/login?next=***", "10.1.0.3:8080",
			"GET /login?next=http://www.example.com/ HTTP/1.1|Host: 10.1.0.3|User-Agent: ldirectord|Connection: close",
		},
		{
			"proxy", realServer,
			HTTPOptions{Service: "http_proxy", Request: "http://www.example.com/x"},
			"http_proxy GET http://www.example.com/x through 10.1.0.3:8080", "10.1.0.3:8080",
			"GET http://www.example.com/x HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Connection: close",
		},
		{
			"proxy without a URL", realServer,
			HTTPOptions{Service: "http_proxy", Request: "/x"},
			"http_proxy GET http://10.1.0.3:8080/x through 10.1.0.3:8080", "10.1.0.3:8080",
			"GET http://10.1.0.3:8080/x HTTP/1.1|Host: 10.1.0.3:8080|User-Agent: ldirectord|Connection: close",
		},
		{
			"proxy for https: a tunnel first", realServer,
			HTTPOptions{Service: "http_proxy", Request: "https://www.example.com/x"},
			"http_proxy GET https://www.example.com/x through 10.1.0.3:8080", "10.1.0.3:8080",
			"CONNECT www.example.com:443 HTTP/1.1|Host: www.example.com:443|User-Agent: ldirectord",
		},
		{
			"headers", realServer,
			HTTPOptions{Headers: []string{"X-A: b", "user-agent:Mozilla", "Cookie: c=d"}, Version: "1.0"},
			"http GET http://10.1.0.3:8080/", "10.1.0.3:8080",
			"GET / HTTP/1.0|Host: 10.1.0.3|User-Agent: Mozilla|X-A: b|Cookie: c=d|Connection: close",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHTTPAt(t, tt.options, tt.server, nil)
			first := h.Dialogue().Next(nil, false)
			got := []string{h.String(), describeTarget(h.Target()), strings.ReplaceAll(strings.TrimSuffix(string(first.Send), "\r\n\r\n"), "\r\n", "|")}
			if diff := cmp.Diff([]string{tt.says, tt.target, tt.request}, got); diff != "" {
				t.Errorf("request and target (-want +got):\n%s", diff)
			}
		})
	}
}

// Checks with the same options have each its own request, also at the same
// time, and after others are over.
func TestHTTPRequestsOfMany(t *testing.T) {
	o := HTTPOptions{Service: "http", Headers: []string{"X-A: b"}}
	if err := o.Complete(); err != nil {
		t.Fatal(err)
	}
	begin := func(addr string) (Dialogue, string) {
		h, err := o.At(netip.MustParseAddrPort(addr), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := h.Dialogue()
		return d, string(d.Next(nil, false).Send)
	}
	want := func(host string) string {
		return "GET / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: ldirectord\r\nX-A: b\r\nConnection: close\r\n\r\n"
	}
	first, got := begin("10.1.0.3:8080")
	if got != want("10.1.0.3") {
		t.Errorf("the first request is %q", got)
	}
	sent := first.(*httpDialogue).room
	if _, got := begin("[fd00::12]:80"); got != want("[fd00::12]") {
		t.Errorf("the second request is %q", got)
	}
	if got := string(*sent); got != want("10.1.0.3") {
		t.Errorf("the first request became %q while it was sent", got)
	}
	if step := first.Next([]byte("HTTP/1.1 200 OK\r\n\r\n"), true); !step.Done || step.Err != nil {
		t.Errorf("the first verdict is %+v", step)
	}
	if _, got := begin("10.1.0.4:1"); got != want("10.1.0.4") {
		t.Errorf("the third request is %q", got)
	}
}

// describeTarget is where a Target leads in a few words.
func describeTarget(target Target) string {
	where := target.Addr.String()
	if target.Host != "" {
		where = fmt.Sprintf("%s:%d", target.Host, target.Addr.Port())
	}
	if target.TLS != nil {
		where = strings.TrimSpace(where + " tls " + target.TLS.ServerName)
	}
	return where
}

func TestHTTPRefuses(t *testing.T) {
	tests := []struct {
		name    string
		options HTTPOptions
		want    string
	}{
		{"method", HTTPOptions{Method: "POST"}, `http method "POST" is neither GET nor HEAD`},
		{"version", HTTPOptions{Version: "3"}, `http version "3" is none of 1.0, 1.1 and 2`},
		{"version 2 through a proxy", HTTPOptions{Service: "http_proxy", Version: "2"}, "http version 2 is not supported for http_proxy"},
		{"virtual host", HTTPOptions{VirtualHost: "a\r\nX: y"}, `virtual host "a\r\nX: y" is no valid header value`},
		{"header without a colon", HTTPOptions{Headers: []string{"X-A b"}}, `header "X-A b" is not of the form "Name: value"`},
		{"header with a line end", HTTPOptions{Headers: []string{"X-A: b\r\nc: d"}}, `header "X-A" is not of the form "Name: value"`},
		{"header of a body", HTTPOptions{Headers: []string{"content-length: 5"}}, "header content-length cannot be set: no body is sent"},
		{"scheme", HTTPOptions{Request: "ftp://a/b"}, `url "ftp://a/b" is neither http nor https`},
		{"port", HTTPOptions{Request: "http://a:0/b"}, `url with host "a:0": invalid port`},
		{"big port", HTTPOptions{Request: "http://a:65536/b"}, `url with host "a:65536": invalid port`},
		{"host", HTTPOptions{Request: "http:///b"}, `url with host "": invalid host name`},
		{"host with a blank", HTTPOptions{Request: "http://me:secret@a b/"}, `url with host "a b": invalid host name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.options.Complete(); errText(err) != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
