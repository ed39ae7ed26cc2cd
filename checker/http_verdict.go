package checker

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// Statuses are ranges of HTTP statuses that count as up.
type Statuses []StatusRange

// A StatusRange goes from First to Last, both inclusive.
type StatusRange struct{ First, Last int }

// has reports whether status counts as up; nil is 200-299.
func (s Statuses) has(status int) bool {
	if s == nil {
		return status/100 == 2
	}
	return slices.ContainsFunc(s, func(r StatusRange) bool { return r.First <= status && status <= r.Last })
}

// maxRedirects is the original's limit.
const maxRedirects = 7

// An httpHead is the part of an answer before its body that the verdict needs.
type httpHead struct {
	status   int
	line     string // "200 OK", safe to print
	location string // of a redirect
}

// isRedirect reports whether a refers to another URL.
func (a httpHead) isRedirect() bool {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// hasBody reports whether a body follows the head.
func (h *HTTP) hasBody(a httpHead) bool {
	return h.Method != http.MethodHead && a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// verdictOfHead decides by the head alone. The zero Step means that the body
// decides. A status that drains wins; a redirect whose status is among the expected ones
// is an answer.
func (h *HTTP) verdictOfHead(a httpHead) Step {
	switch {
	case h.Drain != nil && h.Drain.has(a.status):
		return h.fail(a.line, Wish{Drains: true, Answer: a.line})
	case a.isRedirect() && h.Follow != FollowNo && !h.Status.has(a.status):
		return h.follow(a)
	case !h.Status.has(a.status):
		return h.fail(a.line, errors.New(a.line))
	}
	return Step{}
}

// verdictOfBody decides by the body, of which the first bytes up to the limit are
// in body.
func (h *HTTP) verdictOfBody(a httpHead, body []byte) Step {
	if err := judged(h.Receive, h.ReceiveDrain, body); err != nil {
		return h.fail(bodyDetail(body), err)
	}
	if h.ReceiveNot != nil {
		matched, err := h.ReceiveNot.Match(body)
		if err == nil && matched {
			err = fmt.Errorf("receivenot %s found in %d bytes: %s", safetext.Excerpt(h.ReceiveNot.String()), len(body), safetext.Excerpt(body))
		}
		if err != nil {
			return h.fail(bodyDetail(body), err)
		}
	}
	return Step{Done: true, Detail: a.line}
}

// maxDetail limits the length of a body in the monitor file.
const maxDetail = 200

// bodyDetail is the beginning of a body. It keeps line ends, for which the monitor
// file has a notation, and drops other control characters and invalid bytes.
func bodyDetail(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), maxDetail)]), "?")
	return strings.Map(func(r rune) rune {
		if r != '\r' && r != '\n' && r != '\t' && !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// fail is the verdict down. After a redirect it names the URL that answered.
func (h *HTTP) fail(detail string, err error) Step {
	if wish, ok := errors.AsType[Wish](err); ok {
		return Step{Done: true, Detail: detail, Err: wish}
	}
	if h.redirects() > 0 {
		err = fmt.Errorf("redirected to %s: %w", h.url(), err)
	}
	return Step{Done: true, Detail: detail, Err: err}
}

// follow follows a redirect.
func (h *HTTP) follow(a httpHead) Step {
	if a.location == "" {
		return h.fail(a.line, fmt.Errorf("%s without a Location", a.line))
	}
	if h.redirects() == maxRedirects {
		return h.fail(a.line, fmt.Errorf("%s after %d redirects", a.line, maxRedirects))
	}
	to, err := h.url().resolve(a.location)
	if err != nil {
		return h.fail(a.line, fmt.Errorf("%s: %w", a.line, err))
	}
	next, err := h.redirected(to)
	if err != nil {
		return h.fail(a.line, fmt.Errorf("%s: %w", a.line, err))
	}
	return Step{Follow: next}
}

// redirected is the check of a redirect's URL. As in the original its Host header
// is the host of that URL. Configured headers, which may be secrets, go only to the
// server that they are configured for.
func (h *HTTP) redirected(to webURL) (*HTTP, error) {
	host, headers := to.authority, h.Headers
	switch {
	case h.Follow == FollowSame:
		to, host = h.onSameServer(to)
	case to.authority != h.url().authority:
		headers = nil
	}
	options := *h.HTTPOptions
	options.Headers = headers
	next := &HTTP{HTTPOptions: &options, Addr: h.Addr, TLS: h.TLS}
	own, err := next.requestFor(to, host)
	if err != nil {
		return nil, err
	}
	own.redirects = h.redirects() + 1
	next.own = own
	return next, nil
}

// redirects is the number of redirects before h.
func (h *HTTP) redirects() int {
	if h.own == nil {
		return 0
	}
	return h.own.redirects
}

// onSameServer returns the counterpart of to on the real server itself, and the
// Host header for it. The port is the real server's own, unless http became https
// or the reverse: then it is the URL's.
func (h *HTTP) onSameServer(to webURL) (webURL, string) {
	url, host, port := h.url(), to.authority, to.addr.Port()
	if host == url.authority {
		host = h.host()
	}
	if to.scheme == url.scheme {
		port = url.addr.Port()
	}
	same := url
	same.scheme, same.path, same.login = to.scheme, to.path, nil
	same.addr = netip.AddrPortFrom(url.addr.Addr(), port)
	same.authority, same.tlsName = same.hostPort(), to.serverName()
	return same, host
}

// host is the Host header.
func (h *HTTP) host() string {
	if h.own != nil {
		return h.own.host
	}
	return h.hostOf(h.url())
}
