package checker

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// defaultLimit is how much of an answer is looked at unless Limit says other.
const defaultLimit = 1 << 20

// HTTPOptions are what an HTTP check asks and what it expects. The zero value
// of a field is what the original daemon does.
type HTTPOptions struct {
	Service        string         // "http", "https" or "http_proxy"
	Addr           netip.AddrPort // the real server; the proxy for http_proxy
	Method         string         // GET or HEAD, "" is GET
	Request        string         // a path, with or without its first "/", or a whole URL
	VirtualHost    string         // the Host header
	HasVirtualHost bool           // VirtualHost is sent even if it is ""
	TLS            *tls.Config    // for https; nil is that of TLSOptions{Name: VirtualHost}
	Receive        *Pattern       // what the body has to match; nil is anything
	ReceiveNot     *Pattern       // what it must not match; nil is nothing
	Limit          int            // how many bytes of the body are read and matched, 0 is 1 MiB
	Status         Statuses       // what counts as up, nil is 200-299
	Headers        []string       // more of them, "Name: value"
	Version        string         // "1.0", "1.1" or "2", "" is 1.1
	Follow         Follow         // of redirects

	path string // of Request, "" if that is a whole URL; from Complete
}

// Follow is what is done with a redirect.
type Follow uint8

// The values of Follow.
const (
	FollowYes  Follow = iota // it is followed wherever it leads
	FollowNo                 // it is an answer like any other
	FollowSame               // it is followed, but always on the real server itself
)

// An HTTP check is up when the request for its URL ends, after redirects, with
// a good status and the body matches. For http_proxy the URL is fetched through
// the real server.
//
// The detail is the status line, or the beginning of the body if the status
// was good and only the body was not.
type HTTP struct {
	*HTTPOptions                // those of At, which others share; Addr and TLS are in here
	Addr         netip.AddrPort // the real server
	TLS          *tls.Config    // its options' for https

	url       place
	host      string      // the Host header
	tls       *tls.Config // that is spoken with url's server, nil is none
	request   []byte
	tunnel    []byte // the CONNECT that comes before request, nil is none
	redirects int    // that have led here
}

// NewHTTP makes the check and its request, which is the same each time. The
// error says what of o cannot be asked.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	shared := o
	if err := shared.Complete(); err != nil {
		return nil, err
	}
	return shared.At(o.Addr, o.TLS)
}

// Complete fills in what the zero values stand for, so that At can be called.
// The error says what of o cannot be asked.
func (o *HTTPOptions) Complete() error {
	if o.Method == "" {
		o.Method = http.MethodGet
	}
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	if o.Version == "" {
		o.Version = "1.1"
	}
	// The configuration puts a "/" before every request.
	if request := strings.TrimPrefix(o.Request, "/"); !hasScheme(request) {
		o.path = escapePath("/" + request)
	}
	return o.check()
}

// At makes the check of one of many real servers that are asked alike, with
// what NewHTTP takes from HTTPOptions.Addr and TLS. All of them keep o, which
// must not be changed any more.
func (o *HTTPOptions) At(addr netip.AddrPort, config *tls.Config) (*HTTP, error) {
	h := &HTTP{HTTPOptions: o, Addr: addr, TLS: config}
	url, err := h.place()
	if err != nil {
		return nil, err
	}
	if err := h.ask(url, h.hostOf(url)); err != nil {
		return nil, err
	}
	return h, nil
}

// check refuses what would not be the request that was meant.
func (o *HTTPOptions) check() error {
	if o.Method != http.MethodGet && o.Method != http.MethodHead {
		return fmt.Errorf("http method %s is neither GET nor HEAD", excerpt(o.Method))
	}
	switch o.Version {
	case "1.0", "1.1", "2":
	default:
		return fmt.Errorf("http version %s is none of 1.0, 1.1 and 2", excerpt(o.Version))
	}
	if o.Version == "2" && o.Service == "http_proxy" {
		return fmt.Errorf("http version 2 is not supported for http_proxy")
	}
	if !httpguts.ValidHeaderFieldValue(o.VirtualHost) {
		return fmt.Errorf("virtual host %s cannot stand in a header", excerpt(o.VirtualHost))
	}
	for _, header := range o.Headers {
		name, value := cutHeader(header)
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("header %s is not of the form \"Name: value\"", excerpt(name))
		}
		if isHeader(name, "Content-Length", "Transfer-Encoding", "Connection") {
			return fmt.Errorf("header %s cannot be set: no body is sent", name)
		}
	}
	return nil
}

// cutHeader cuts "Name: value".
func cutHeader(header string) (name, value string) {
	name, value, _ = strings.Cut(header, ":")
	return name, strings.Trim(value, " \t")
}

// place is the URL that is asked for first.
func (h *HTTP) place() (place, error) {
	if h.path == "" {
		return parsePlace(strings.TrimPrefix(h.Request, "/"))
	}
	scheme := "http"
	if h.Service == "https" {
		scheme = "https"
	}
	return place{scheme: scheme, authority: h.Addr.String(), addr: h.Addr, path: h.path}, nil
}

// hostOf is the Host header of the first request: the virtual host, else the
// address of the real server without its port, as in the original; a proxy is
// told what the URL says.
func (h *HTTP) hostOf(url place) string {
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

// ask has h ask for url.
func (h *HTTP) ask(url place, host string) (err error) {
	h.url, h.host = url, host
	if url.scheme == "https" {
		if h.tls, err = h.tlsFor(url); err != nil {
			return err
		}
	}
	if h.Version == "2" {
		h.request = h.http2Request(h.Headers)
	} else {
		h.request = h.http1Request(h.Headers)
	}
	if h.Service == "http_proxy" && url.scheme == "https" {
		// TLS begins inside of the tunnel.
		h.tunnel = fmt.Appendf(nil, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\nUser-Agent: %s\r\n\r\n", url.hostPort(), userAgent)
	}
	return nil
}

// tlsFor is the TLS that is spoken with url's server. The name of the options
// is the real server's; another one is asked for by its own.
func (h *HTTP) tlsFor(url place) (config *tls.Config, err error) {
	switch own := url.addr == h.Addr; {
	case h.TLS == nil && own:
		config, err = TLSConfig(TLSOptions{Name: h.VirtualHost})
	case h.TLS == nil:
		config, err = TLSConfig(TLSOptions{Name: url.serverName()})
	case own && h.Version != "2":
		return h.TLS, nil
	default:
		config = h.TLS.Clone()
		if !own {
			config.ServerName = url.serverName()
		}
	}
	if err == nil && h.Version == "2" {
		config.NextProtos = []string{"h2"}
	}
	return config, err
}

// userAgent is how a web server's log shows who asks.
const userAgent = "ldirectord"

// http1Request is the whole request. A header that is given takes the place of
// the one that is always there.
func (h *HTTP) http1Request(headers []string) []byte {
	path := h.url.path
	if h.Service == "http_proxy" && h.url.scheme == "http" {
		path = h.url.String()
	}
	request := fmt.Appendf(nil, "%s %s HTTP/%s\r\n", h.Method, path, h.Version)
	for _, header := range h.allHeaders(headers) {
		request = fmt.Appendf(request, "%s: %s\r\n", header[0], header[1])
	}
	return bytes.Clone(append(request, "Connection: close\r\n\r\n"...)) // there are many: no spare room
}

// allHeaders are the names and values of a request's headers.
func (h *HTTP) allHeaders(more []string) [][2]string {
	all := [][2]string{{"Host", h.host}, {"User-Agent", userAgent}}
	if h.url.login != nil {
		all = append(all, [2]string{"Authorization", basicAuthorization(h.url.login)})
	}
	for _, header := range more {
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

// isHeader says whether name is one of names, as headers compare.
func isHeader(name string, names ...string) bool {
	for _, one := range names {
		if strings.EqualFold(name, one) {
			return true
		}
	}
	return false
}

// String implements Checker.
func (h *HTTP) String() string {
	return h.Service + " " + h.Method + " " + h.url.String() + h.through()
}

// through names the proxy.
func (h *HTTP) through() string {
	if h.Service != "http_proxy" {
		return ""
	}
	return " through " + h.Addr.String()
}

// Target implements Talker.
func (h *HTTP) Target() Target {
	target := h.url.target()
	target.Slow = h.Receive.Slow() || h.ReceiveNot.Slow()
	if h.Service == "http_proxy" {
		target.Addr, target.Host = h.Addr, ""
	}
	if h.tunnel == nil {
		target.TLS = h.tls
	}
	return target
}

// Dialogue implements Talker.
func (h *HTTP) Dialogue() Dialogue {
	if h.Version == "2" {
		return &http2Dialogue{h: h}
	}
	return &httpDialogue{h: h}
}
