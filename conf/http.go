package conf

import (
	"errors"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// setHTTPMethod is httpmethod = GET|HEAD, in any case.
func setHTTPMethod(at *place, value string) error {
	method := strings.ToUpper(word(value, ""))
	if method != "GET" && method != "HEAD" {
		return errors.New("httpmethod must be GET or HEAD")
	}
	at.block.v.HTTPMethod = method
	return nil
}

// setVirtualHost is virtualhost = NAME, with or without quotes: the Host header,
// which may be empty. It ends at a quote.
func setVirtualHost(at *place, value string) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(value, `"`), `"`)
	at.block.v.VirtualHost, at.block.v.HasVirtualHost = trimRight(host), true
	return nil
}

// setHTTPStatus is httpstatus = CODE[-CODE][,CODE[-CODE]]: what is good.
func setHTTPStatus(at *place, value string) error {
	var ranges []StatusRange
	for s := range strings.SplitSeq(bareText(value), ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(s), "-")
		if !isRange {
			high = low
		}
		r := StatusRange{statusCode(low), statusCode(high)}
		if r.Low == 0 || r.High < r.Low {
			return errors.New("httpstatus must be status codes or ranges of them, such as 200-299,401")
		}
		ranges = append(ranges, r)
	}
	at.settings.httpStatus.set(ranges)
	return nil
}

// statusCode is an HTTP status, 0 if s is none.
func statusCode(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// setHTTPHeader is httpheader = "Name: value", repeatable. One in a block is
// instead of the global ones.
func setHTTPHeader(at *place, value string) error {
	name, text, ok := strings.Cut(bareText(value), ":")
	h := Header{Name: strings.TrimSpace(name), Value: secret.Text(strings.TrimSpace(text))}
	if !ok || !isToken(h.Name) || strings.ContainsFunc(h.Value.Reveal(), isControl) {
		return errors.New(`httpheader must be "Name: value"`)
	}
	at.settings.httpHeader = append(at.settings.httpHeader, h)
	return nil
}

// isToken reports whether s can be the name of a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && word(s, "!#$%&'*+-.^`|~") == s
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// setHTTPVersion is httpversion = 1.0|1.1|2.
func setHTTPVersion(at *place, value string) error {
	versions := map[string]HTTPVersion{"1.0": HTTP10, "1.1": HTTP11, "2": HTTP2}
	version, ok := versions[bareText(value)]
	if !ok {
		return errors.New("httpversion must be 1.0, 1.1 or 2")
	}
	at.settings.httpVersion.set(version)
	return nil
}

// setHTTPFollow is httpfollow = yes|no|same: what is done about a redirect.
func setHTTPFollow(at *place, value string) error {
	words := map[string]HTTPFollow{"yes": FollowYes, "no": FollowNo, "same": FollowSame}
	follow, ok := words[bareText(value)]
	if !ok {
		return errors.New("httpfollow must be yes, no or same")
	}
	at.settings.httpFollow.set(follow)
	return nil
}
