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

// A StatusRange goes from First to Last, both in it.
type StatusRange struct{ First, Last int }

// ParseStatuses reads "200-299,401".
func ParseStatuses(s string) (Statuses, error) {
	var all Statuses
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
			return nil, fmt.Errorf("%s is no http status or range of them", safetext.Excerpt(part))
		}
		all = append(all, StatusRange{int(from), int(to)})
	}
	return all, nil
}

// has says whether status counts as up; nil is 200-299.
func (s Statuses) has(status int) bool {
	if s == nil {
		return status/100 == 2
	}
	return slices.ContainsFunc(s, func(r StatusRange) bool { return r.First <= status && status <= r.Last })
}

// maxRedirects is as in the original.
const maxRedirects = 7

// An httpHead is what is looked at of an answer before its body.
type httpHead struct {
	status   int
	line     string // "200 OK", safe to show
	location string // of a redirect
}

// isRedirect says whether it leads somewhere else.
func (a httpHead) isRedirect() bool {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// hasBody says whether a body comes after the head.
func (h *HTTP) hasBody(a httpHead) bool {
	return h.Method != http.MethodHead && a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// verdictOfHead decides what can be decided without the body. The zero Step is
// that the body decides. A redirect whose status was asked for is an answer.
func (h *HTTP) verdictOfHead(a httpHead) Step {
	switch {
	case a.isRedirect() && h.Follow != FollowNo && !h.Status.has(a.status):
		return h.follow(a)
	case !h.Status.has(a.status):
		return h.fail(a.line, errors.New(a.line))
	}
	return Step{}
}

// verdictOfBody decides the rest. body is what was received of it, up to the
// limit.
func (h *HTTP) verdictOfBody(a httpHead, body []byte) Step {
	if err := received(h.Receive, body); err != nil {
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

// maxDetail is how much of a body goes into the monitor file.
const maxDetail = 200

// bodyDetail is the beginning of a body. Line ends stay, the monitor file
// has a notation for them; other control characters and stray bytes do not.
func bodyDetail(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), maxDetail)]), "?")
	return strings.Map(func(r rune) rune {
		if r != '\r' && r != '\n' && r != '\t' && !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// fail is the verdict that the real server is down. After a redirect it says
// where the answer came from.
func (h *HTTP) fail(detail string, err error) Step {
	if h.redirects() > 0 {
		err = fmt.Errorf("redirected to %s: %w", h.url(), err)
	}
	return Step{Done: true, Detail: detail, Err: err}
}

// follow goes where a redirect leads.
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

// redirected is the check that asks to. The Host header is then that of the
// URL, as in the original, and headers that were configured, which may be
// secrets, are for the server they were configured for.
func (h *HTTP) redirected(to place) (*HTTP, error) {
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

// redirects is how many have led to h.
func (h *HTTP) redirects() int {
	if h.own == nil {
		return 0
	}
	return h.own.redirects
}

// onSameServer is where to would be found on the real server itself, and the
// Host header to ask for it. The port is the real server's own, unless http
// became https or the reverse: then it is that of the URL.
func (h *HTTP) onSameServer(to place) (place, string) {
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
