package conf

import (
	"errors"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// readHTTPMethod is httpmethod = GET|HEAD, in any case.
func readHTTPMethod(_ *location, value string) (string, error) {
	method := strings.ToUpper(word(value, ""))
	if method != "GET" && method != "HEAD" {
		return "", errors.New("httpmethod must be GET or HEAD")
	}
	return method, nil
}

// setVirtualHost is virtualhost = NAME, with or without quotes: the Host header,
// which may be empty. It ends at a quote.
func setVirtualHost(at *location, value string) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(value, `"`), `"`)
	at.v.VirtualHost, at.v.HasVirtualHost = trimRight(host), true
	return nil
}

// readHTTPStatus is httpstatus or httpdrain = CODE[-CODE][,CODE[-CODE]]: the good statuses, or those
// that drain.
func readHTTPStatus(at *location, value string) (set StatusSet, err error) {
	for s := range strings.SplitSeq(bareText(value), ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(s), "-")
		if !isRange {
			high = low
		}
		r := StatusRange{statusCode(low), statusCode(high)}
		if r.Low == 0 || r.High < r.Low {
			return set, errors.New(at.name + " must be status codes or ranges of them, such as 200-299,401")
		}
		set.add(r)
	}
	return set, nil
}

// statusCode is an HTTP status, 0 if s is none.
func statusCode(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// readHTTPHeader is httpheader = "Name: value", repeatable. One in a block replaces
// the global ones.
func readHTTPHeader(at *location, value string) (Headers, error) {
	name, text, ok := strings.Cut(bareText(value), ":")
	h := Header{Name: strings.TrimSpace(name), Value: secret.Text(strings.TrimSpace(text))}
	if !ok || !isToken(h.Name) || strings.ContainsFunc(h.Value.Reveal(), isControl) {
		return Headers{}, errors.New(`httpheader must be "Name: value"`)
	}
	return at.v.HTTPHeader.with(h), nil
}

// isToken reports whether s can be the name of a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && word(s, "!#$%&'*+-.^`|~") == s
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// A StatusRange is HTTP status codes from Low to High, both included.
type StatusRange struct {
	Low, High int
}

// A StatusSet is a set of HTTP statuses from 100 to 599. The zero StatusSet is
// 200-299.
type StatusSet [8]uint64

func (s *StatusSet) add(r StatusRange) {
	for code := r.Low - 100; code <= r.High-100; code++ {
		s[code/64] |= 1 << (code % 64)
	}
}

// Ranges are the statuses in s, ascending; nil for the zero StatusSet.
func (s StatusSet) Ranges() (all []StatusRange) {
	for code := range 500 {
		switch last := len(all) - 1; {
		case s[code/64]&(1<<(code%64)) == 0:
		case last >= 0 && all[last].High == code+99:
			all[last].High++
		default:
			all = append(all, StatusRange{code + 100, code + 100})
		}
	}
	return all
}

// String is the notation of the file, "" for the zero StatusSet.
func (s StatusSet) String() string {
	var words []string
	for _, r := range s.Ranges() {
		word := strconv.Itoa(r.Low)
		if r.High > r.Low {
			word += "-" + strconv.Itoa(r.High)
		}
		words = append(words, word)
	}
	return strings.Join(words, ",")
}

// A Header is one line of an HTTP request's header.
type Header struct {
	Name  string
	Value secret.Text // secret for every name: secrets may have any
}

// Headers are lines of an HTTP request's header. They are comparable.
type Headers struct {
	lines secret.Text // "Name: value", each with a line end
}

// with returns h and one more header.
func (h Headers) with(one Header) Headers {
	return Headers{h.lines + secret.Text(one.Name) + ": " + one.Value + "\n"}
}

// All are the headers in the order of the file.
func (h Headers) All() (all []Header) {
	for line := range strings.Lines(h.lines.Reveal()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		all = append(all, Header{name, secret.Text(value)})
	}
	return all
}
