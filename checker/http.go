package checker

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// defaultLimit is the number of bytes of an answer that count unless Limit is set.
const defaultLimit = 1 << 20

// HTTPOptions are the request of HTTP checks and the expected answer: Complete, then At for
// each real server. The zero value of each field is the original's behaviour.
type HTTPOptions struct {
	Service        string          // "http", "https" or "http_proxy"
	Method         string          // GET or HEAD, "" is GET
	Request        string          // a path, with or without its first "/", or a whole URL, which is fetched from its own host
	VirtualHost    string          // the Host header
	HasVirtualHost bool            // VirtualHost is sent even if it is ""
	Receive        *perlre.Pattern // what the body has to match; nil is anything
	ReceiveNot     *perlre.Pattern // the body must not match it; nil is nothing
	ReceiveDrain   *perlre.Pattern // a body that matches it wants no new connections; nil is nothing
	Limit          int             // how many bytes of the body are read and matched, 0 is 1 MiB
	Status         Statuses        // the statuses that are up, nil is 200-299
	Drain          Statuses        // the statuses that want no new connections; nil is none
	Headers        []string        // additional headers, "Name: value"
	Version        string          // "1.0", "1.1" or "2", "" is 1.1
	Follow         Follow          // of redirects

	// Complete sets these. All checks share the text of the request before and
	// after the Host header, which is the address of the real server. If only after
	// is nil, before is the whole request; if both are nil, each check has its own.
	first         webURL // the URL; it has no address if its server is the real server
	before, after []byte
}

// Follow is the treatment of a redirect.
type Follow uint8

// The values of Follow.
const (
	FollowYes  Follow = iota // wherever it leads
	FollowNo                 // the redirect is an answer like any other
	FollowSame               // always on the real server itself
)

// An HTTP check is up when the request for its URL ends, after redirects, with a
// good status and a matching body. For http_proxy the real server is the proxy.
//
// The detail is the status line, or the beginning of the body if the status was
// good and only the body did not match.
type HTTP struct {
	*HTTPOptions                // shared between the checks of equal options
	Addr         netip.AddrPort // the real server; the proxy for http_proxy
	TLS          *tls.Config    // for https

	own *httpRequest // nil for the request that the options describe, sent to Addr: the usual case
}

// Complete replaces zero values by their defaults, so that At can be called. The
// error names the option that cannot be used.
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
	if err := o.check(); err != nil {
		return err
	}
	// As in the original, a URL does not include blanks at its end.
	request := strings.TrimRight(o.Request, " \t\r\n")
	path := strings.TrimPrefix(request, "/")
	if o.Service == "http_proxy" { // the request is a URL, in front of which the configuration puts a "/"
		request = path
	}
	if hasScheme(request) {
		var err error
		o.first, err = parseURL(request)
		return err
	}
	o.first = webURL{scheme: "http", path: escapePath("/" + path)}
	if o.Service == "https" {
		o.first.scheme = "https"
	}
	if o.Service != "http_proxy" && o.Version != "2" {
		o.share()
	}
	return nil
}

// At makes the check of one of many real servers with equal options, after Complete. addr is the
// real server, or the proxy for http_proxy. config is for https; nil is that of
// TLSOptions{Name: VirtualHost}. All checks keep o, which must not change any more.
func (o *HTTPOptions) At(addr netip.AddrPort, config *tls.Config) (*HTTP, error) {
	h := &HTTP{HTTPOptions: o, Addr: addr, TLS: config}
	var err error
	if config == nil && o.Service == "https" {
		h.TLS, err = TLSConfig(TLSOptions{Name: o.VirtualHost})
	}
	if err == nil && o.before == nil {
		url := h.url()
		h.own, err = h.requestFor(url, h.hostOf(url))
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// check refuses options that would make another request than the intended one.
func (o *HTTPOptions) check() error {
	if o.Method != http.MethodGet && o.Method != http.MethodHead {
		return fmt.Errorf("http method %s is neither GET nor HEAD", safetext.Excerpt(o.Method))
	}
	switch o.Version {
	case "1.0", "1.1", "2":
	default:
		return fmt.Errorf("http version %s is none of 1.0, 1.1 and 2", safetext.Excerpt(o.Version))
	}
	if o.Version == "2" && o.Service == "http_proxy" {
		return fmt.Errorf("http version 2 is not supported for http_proxy")
	}
	if !httpguts.ValidHeaderFieldValue(o.VirtualHost) {
		return fmt.Errorf("virtual host %s is no valid header value", safetext.Excerpt(o.VirtualHost))
	}
	for _, header := range o.Headers {
		name, value := cutHeader(header)
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("header %s is not of the form \"Name: value\"", safetext.Excerpt(name))
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

// url is the URL of the request.
func (h *HTTP) url() webURL {
	if h.own != nil {
		return h.own.url
	}
	url := h.first
	if url.authority == "" {
		url.authority, url.addr = h.Addr.String(), h.Addr
	}
	return url
}

// tlsFor is the TLS configuration for url's server. The name in the options belongs
// to the real server; another server gets its own name.
func (h *HTTP) tlsFor(url webURL) (config *tls.Config, err error) {
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

// String implements Checker.
func (h *HTTP) String() string {
	return h.Service + " " + h.Method + " " + secret.Request(h.url().String()).String() + h.through()
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
	target := Target{Network: "tcp", Addr: h.Addr}
	switch {
	case h.own != nil:
		target = h.own.target(h)
	case h.Service == "https":
		target.TLS = h.TLS
	}
	target.Slow = h.Receive.Slow() || h.ReceiveNot.Slow() || h.ReceiveDrain.Slow()
	return target
}

// Dialogue implements Talker.
func (h *HTTP) Dialogue() Dialogue {
	if h.Version == "2" {
		return &http2Dialogue{h: h}
	}
	return &httpDialogue{h: h}
}
