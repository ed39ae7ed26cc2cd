package conf

import (
	"errors"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// readHTTPMethod is httpmethod = GET|HEAD, in any case.
func readHTTPMethod(_ *place, value string) (string, error) {
	method := strings.ToUpper(word(value, ""))
	if method != "GET" && method != "HEAD" {
		return "", errors.New("httpmethod must be GET or HEAD")
	}
	return method, nil
}

// setVirtualHost is virtualhost = NAME, with or without quotes: the Host header,
// which may be empty. It ends at a quote.
func setVirtualHost(at *place, value string) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(value, `"`), `"`)
	at.v.VirtualHost, at.v.HasVirtualHost = trimRight(host), true
	return nil
}

// readHTTPStatus is httpstatus = CODE[-CODE][,CODE[-CODE]]: what is good.
func readHTTPStatus(_ *place, value string) (ranges []StatusRange, err error) {
	for s := range strings.SplitSeq(bareText(value), ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(s), "-")
		if !isRange {
			high = low
		}
		r := StatusRange{statusCode(low), statusCode(high)}
		if r.Low == 0 || r.High < r.Low {
			return nil, errors.New("httpstatus must be status codes or ranges of them, such as 200-299,401")
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

// statusCode is an HTTP status, 0 if s is none.
func statusCode(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// readHTTPHeader is httpheader = "Name: value", repeatable. One in a block is
// instead of the global ones.
func readHTTPHeader(at *place, value string) ([]Header, error) {
	name, text, ok := strings.Cut(bareText(value), ":")
	h := Header{Name: strings.TrimSpace(name), Value: secret.Text(strings.TrimSpace(text))}
	if !ok || !isToken(h.Name) || strings.ContainsFunc(h.Value.Reveal(), isControl) {
		return nil, errors.New(`httpheader must be "Name: value"`)
	}
	return append(at.v.HTTPHeader, h), nil
}

// isToken reports whether s can be the name of a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && word(s, "!#$%&'*+-.^`|~") == s
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
