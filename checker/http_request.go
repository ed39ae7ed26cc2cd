package checker

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// An httpRequest is a request that only one check has: of a redirect, a whole URL,
// through a proxy, or by HTTP/2.
type httpRequest struct {
	url       webURL
	host      string      // the Host header
	tls       *tls.Config // for url's server, nil is plain text
	text      []byte
	tunnel    []byte // the CONNECT that comes before text, nil is none
	redirects int    // followed so far
}

// userAgent names this program in the logs of web servers.
const userAgent = "ldirectord"

// mostShared is the greatest length of a request in a pooled buffer:
// so short that one write sends it.
const mostShared = 4 << 10

// share makes the common part of the requests.
func (o *HTTPOptions) share() {
	request := o.http1Request(o.first, o.VirtualHost)
	if o.HasVirtualHost || slices.ContainsFunc(o.Headers, isHost) {
		o.before = request
		return
	}
	if len(request) > mostShared {
		return
	}
	host := bytes.IndexByte(request, '\n') + len("\nHost: ")
	o.before, o.after = request[:host], request[host:]
}

// isHost reports whether a header replaces the Host header.
func isHost(header string) bool {
	name, _ := cutHeader(header)
	return isHeader(name, "Host")
}

// request is the text of the request. Unless it exists already, room gets it and
// grows as needed.
func (h *HTTP) request(room []byte) []byte {
	switch {
	case h.own != nil:
		return h.own.text
	case h.after == nil:
		return h.before
	}
	room = append(room[:0], h.before...)
	if addr := h.Addr.Addr(); addr.Is6() {
		room = append(addr.AppendTo(append(room, '[')), ']')
	} else {
		room = addr.AppendTo(room)
	}
	return append(room, h.after...)
}

// rooms are the buffers of requests.
var rooms = sync.Pool{New: func() any {
	room := make([]byte, 0, 128)
	return &room
}}

// hostOf is the Host header of the first request: the virtual host, else the
// address of the real server without its port, as in the original; for a proxy it
// is the URL's host.
func (h *HTTP) hostOf(url webURL) string {
	switch {
	case h.HasVirtualHost:
		return h.VirtualHost
	case h.Service == "http_proxy":
		return url.authority
	case h.Addr.Addr().Is6():
		return "[" + h.Addr.Addr().String() + "]"
	}
	return h.Addr.Addr().String()
}

// requestFor is h's own request for url.
func (h *HTTP) requestFor(url webURL, host string) (r *httpRequest, err error) {
	r = &httpRequest{url: url, host: host}
	if url.scheme == "https" {
		if r.tls, err = h.tlsFor(url); err != nil {
			return nil, err
		}
	}
	if h.Version == "2" {
		r.text = h.http2Request(url, host)
	} else {
		r.text = h.http1Request(url, host)
	}
	if h.Service == "http_proxy" && url.scheme == "https" {
		// The TLS handshake takes place inside the tunnel.
		r.tunnel = fmt.Appendf(nil, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\nUser-Agent: %s\r\n\r\n", url.hostPort(), userAgent)
	}
	return r, nil
}

// target is the endpoint for the request of h.
func (r *httpRequest) target(h *HTTP) Target {
	target := r.url.target()
	if h.Service == "http_proxy" {
		target.Addr, target.Host = h.Addr, ""
	}
	if r.tunnel == nil {
		target.TLS = r.tls
	}
	return target
}

// http1Request is the whole request. A configured header replaces the default one
// of the same name.
func (o *HTTPOptions) http1Request(url webURL, host string) []byte {
	path := url.path
	if o.Service == "http_proxy" && url.scheme == "http" {
		path = url.String()
	}
	request := fmt.Appendf(nil, "%s %s HTTP/%s\r\n", o.Method, path, o.Version)
	for _, header := range o.allHeaders(url, host) {
		request = fmt.Appendf(request, "%s: %s\r\n", header[0], header[1])
	}
	return append(request, "Connection: close\r\n\r\n"...)
}

// allHeaders are the names and values of a request's headers.
func (o *HTTPOptions) allHeaders(url webURL, host string) [][2]string {
	all := [][2]string{{"Host", host}, {"User-Agent", userAgent}}
	if url.login != nil {
		all = append(all, [2]string{"Authorization", basicAuthorization(url.login)})
	}
	for _, header := range o.Headers {
		name, value := cutHeader(header)
		for i := range all {
			if isHeader(all[i][0], name) {
				all[i][1], name = value, ""
			}
		}
		if name != "" {
			all = append(all, [2]string{name, value})
		}
	}
	return all
}

// isHeader reports whether name is one of names, without regard to case.
func isHeader(name string, names ...string) bool {
	for _, one := range names {
		if strings.EqualFold(name, one) {
			return true
		}
	}
	return false
}
