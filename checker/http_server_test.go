package checker

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/perlre"
)

// web is a handler with the answers a real server may give.
func web() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Test Page of %s by %s\n", r.Host, r.Proto)
	})
	mux.HandleFunc("/chunks", func(w http.ResponseWriter, _ *http.Request) {
		for _, part := range []string{"Test", " ", "Page"} {
			io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "Test Page")
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Repeat("0123456789", 30_000)+"Test Page")
	})
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	mux.Handle("/moved", http.RedirectHandler("/chunks", http.StatusFound))
	mux.HandleFunc("/abort", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "Test")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	return mux
}

// dialTarget connects to a Target, whose names are all on loopback.
func dialTarget(target Target) (net.Conn, error) {
	addr := target.Addr.String()
	if target.Host != "" {
		addr = fmt.Sprintf("127.0.0.1:%d", target.Addr.Port())
	}
	return net.DialTimeout(target.Network, addr, talkTimeout)
}

// serverAddr is the address of a test server.
func serverAddr(t *testing.T, server *httptest.Server) netip.AddrPort {
	t.Helper()
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}

// Every version against a server that knows all of them.
func TestHTTPServer(t *testing.T) {
	ca := newAuthority(t)
	certificate := ca.issue(t, time.Now().Add(time.Hour), "www.example.com")
	config, err := TLSConfig(TLSOptions{CAFile: ca.file, Name: "www.example.com", Verify: VerifyFull})
	if err != nil {
		t.Fatal(err)
	}
	servers := map[string]netip.AddrPort{}
	for _, service := range []string{"http", "https"} {
		server := httptest.NewUnstartedServer(web())
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetHTTP1(true)
		server.Config.Protocols.SetHTTP2(true)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		if service == "https" {
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			server.EnableHTTP2 = true
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		servers[service] = serverAddr(t, server)
	}
	page := compilePattern(t, "Test Page")
	tests := []struct {
		request, method string
		receive         *perlre.Pattern
		detail, err     string
	}{
		{"/", "GET", page, "200 OK", ""},
		{"/", "HEAD", nil, "200 OK", ""},
		{"/", "HEAD", page, "", `receive "Test Page" not found in 0 bytes: ""`},
		{"/chunks", "GET", compilePattern(t, "^Test Page$"), "200 OK", ""},
		{"/hints", "GET", page, "200 OK", ""},
		{"/big", "GET", compilePattern(t, "^0123.*9Test Page$"), "200 OK", ""},
		{"/none", "GET", nil, "204 No Content", ""},
		{"/broken", "GET", nil, "503 Service Unavailable", "503 Service Unavailable"},
		{"/moved", "GET", page, "200 OK", ""},
		{"/abort", "GET", nil, "", "*"},
	}
	for service, addr := range servers {
		for _, version := range []string{"1.0", "1.1", "2"} {
			for _, tt := range tests {
				if version == "1.0" && tt.request == "/hints" {
					continue // there are none in 1.0
				}
				t.Run(service+" "+version+" "+tt.method+" "+tt.request, func(t *testing.T) {
					h := newHTTPAt(t, HTTPOptions{Service: service, Version: version, Method: tt.method, Request: tt.request, Receive: tt.receive}, addr, config)
					detail, err := talkOver(t, h, dialTarget)
					if tt.err == "*" { // each version ends in its own way
						if err == nil {
							t.Errorf("an answer that breaks off: up, want down")
						}
						return
					}
					if detail != tt.detail || errText(err) != tt.err {
						t.Errorf("%s: %q, %v, want %q, %q", h, detail, err, tt.detail, tt.err)
					}
				})
			}
		}
	}
}

// The version and the host that the server sees.
func TestHTTPVersionAndHost(t *testing.T) {
	server := httptest.NewUnstartedServer(web())
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	for version, proto := range map[string]string{"1.0": "HTTP/1.0", "": "HTTP/1.1", "2": "HTTP/2.0"} {
		h := newHTTPAt(t, HTTPOptions{
			VirtualHost: "www.example.com", HasVirtualHost: true, Version: version,
			Receive: compilePattern(t, "^Test Page of www.example.com by "+proto+"$"),
		}, serverAddr(t, server), nil)
		if _, err := talkOver(t, h, dialTarget); err != nil {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// http, then https on another server by name, then back.
func TestHTTPRedirectChain(t *testing.T) {
	ca := newAuthority(t)
	config, err := TLSConfig(TLSOptions{CAFile: ca.file, Name: "unused.example.com", Verify: VerifyFull})
	if err != nil {
		t.Fatal(err)
	}
	last := httptest.NewServer(web())
	t.Cleanup(last.Close)
	secure := httptest.NewUnstartedServer(http.RedirectHandler(last.URL+"/chunks", http.StatusTemporaryRedirect))
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, time.Now().Add(time.Hour), "www.example.org")}}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	elsewhere := fmt.Sprintf("https://www.example.org:%d/", serverAddr(t, secure).Port())
	first := httptest.NewServer(http.RedirectHandler(elsewhere, http.StatusMovedPermanently))
	t.Cleanup(first.Close)

	h := newHTTPAt(t, HTTPOptions{Receive: compilePattern(t, "^Test Page$")}, serverAddr(t, first), config)
	if detail, err := talkOver(t, h, dialTarget); detail != "200 OK" || err != nil {
		t.Errorf("%s: %q, %v, want 200 OK", h, detail, err)
	}
	h = newHTTPAt(t, HTTPOptions{Receive: compilePattern(t, "Other Page")}, serverAddr(t, first), config)
	_, err = talkOver(t, h, dialTarget)
	want := "redirected to " + last.URL + `/chunks: receive "Other Page" not found in 9 bytes: "Test Page"`
	if errText(err) != want {
		t.Errorf("%s: %v, want %s", h, err, want)
	}
}

// proxy is a small proxy for http and, by CONNECT, for https. All names lead
// to loopback.
func proxy(conn net.Conn) {
	r := bufio.NewReader(conn)
	request, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	upstream, err := net.Dial("tcp", "127.0.0.1:"+request.URL.Port())
	if err != nil {
		io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	defer upstream.Close()
	if request.Method == http.MethodConnect {
		io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	} else {
		request.Write(upstream)
	}
	go io.Copy(upstream, r)
	io.Copy(conn, upstream)
}

func TestHTTPProxy(t *testing.T) {
	ca := newAuthority(t)
	config, err := TLSConfig(TLSOptions{CAFile: ca.file, Name: "www.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(web())
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(web())
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, time.Now().Add(time.Hour), "www.example.com")}}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	closed := lab.HoldPort(t)
	for _, tt := range []struct {
		name, scheme string
		server       netip.AddrPort
		detail, err  string
	}{
		{"http", "http", serverAddr(t, plain), "200 OK", ""},
		{"https", "https", serverAddr(t, secure), "200 OK", ""},
		{"http to nobody", "http", closed, "502 Bad Gateway", "502 Bad Gateway"},
		{"https to nobody", "https", closed, "502 Bad Gateway", "the proxy answers 502 Bad Gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHTTPAt(t, HTTPOptions{
				Service: "http_proxy", Receive: compilePattern(t, "Test Page of www.example.com:"),
				Request: fmt.Sprintf("%s://www.example.com:%d/", tt.scheme, tt.server.Port()),
			}, realServer, config)
			detail, err := talk(t, h, proxy)
			if detail != tt.detail || errText(err) != tt.err {
				t.Errorf("%s: %q, %v, want %q, %q", h, detail, err, tt.detail, tt.err)
			}
		})
	}
}

// A proxy's answer to CONNECT, however it is cut.
func TestHTTPTunnel(t *testing.T) {
	h := newHTTP(t, HTTPOptions{Service: "http_proxy", Request: "https://www.example.com/x"})
	tests := []struct {
		name  string
		turns []string
		sent  string
		err   string
	}{
		{"up", []string{"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, string(h.own.tunnel) + "<TLS>" + string(h.request(nil)), ""},
		{"refused", []string{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"}, string(h.own.tunnel), "the proxy answers 407 Proxy Authentication Required"},
		{"no proxy", []string{"220 mx ESMTP\r\n"}, string(h.own.tunnel), `no http answer: "220 mx ESMTP\r"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdict, sent := splitEverywhere(t, h.Dialogue, tt.turns...)
			if sent != tt.sent || errText(verdict.Err) != tt.err {
				t.Errorf("sent %q, %v, want %q, %q", sent, verdict.Err, tt.sent, tt.err)
			}
		})
	}
	// Plain text before the handshake must not count as received under TLS.
	verdict, _ := feed(t, h.Dialogue(), []string{"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"})
	if want := `the proxy goes on talking: "HTTP/1.1 200 OK\r\n\r\n"`; errText(verdict.Err) != want {
		t.Errorf("an answer before TLS: %v, want %s", verdict.Err, want)
	}
}

// Peers that are no web servers, over real connections.
func TestHTTPBadPeers(t *testing.T) {
	tests := []struct {
		name   string
		server func(net.Conn)
		err    string
	}{
		{"closes", func(net.Conn) {}, "closed the connection without an answer"},
		{"resets", reset, "connection reset by peer"},
		{"closes mid-answer", answerLines("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nTest"), "closed the connection after 4 of 10 bytes of the body"},
		{"another protocol", answerLines("220 mx.example.com ESMTP\r\n"), `no http answer: "220 mx.example.com ESMTP\r"`},
		{"a banner without end", func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, strings.Repeat("spam ", 1000)); err != nil {
					return
				}
			}
		}, `no http answer: "spam spam spam spam spam spam spam spam spam spam spam spam …"`},
		{"byte by byte", func(conn net.Conn) {
			for _, c := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nTest Page") {
				conn.Write([]byte{c})
			}
		}, ""},
		{"a TLS server", func(conn net.Conn) { tls.Server(conn, &tls.Config{}).Handshake() }, "closed the connection without an answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := talk(t, newHTTP(t, HTTPOptions{Receive: compilePattern(t, "Test Page")}), tt.server)
			if (err == nil) != (tt.err == "") || !strings.Contains(errText(err), tt.err) {
				t.Errorf("error %v, want one with %s", err, tt.err)
			}
		})
	}
}
