package checker

import (
	"strings"
	"testing"
)

// FuzzLocation has redirects with an arbitrary Location: the next request goes to a
// valid URL and has its own lines only, or the redirect is refused.
func FuzzLocation(f *testing.F) {
	for _, location := range []string{"/next", "//other/x", "https://u:p@[::1]:8443/a?b#c", "../..", "http://a:99999/", "ftp://x/", "http://[fe80::1%25eth0]/", "?q", "\xff%zz", "http://a:0/", "http:///x", "http://[::]/", "http://a b/", "/\x00\x0b", "http://a:/"} {
		f.Add(location)
	}
	f.Fuzz(func(t *testing.T, location string) {
		for _, follow := range []Follow{FollowYes, FollowSame} {
			h := newHTTP(t, HTTPOptions{Follow: follow, Headers: []string{"Cookie: secret"}})
			answer := "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n"
			step, _ := feed(t, h.Dialogue(), []string{answer})
			if step.Follow == nil {
				continue
			}
			target := step.Follow.Target()
			if target.Addr.Port() == 0 || target.Host == "" && !target.Addr.Addr().IsValid() {
				t.Errorf("%q leads to %+v", location, target)
			}
			if target.TLS == nil {
				head := string(step.Follow.Dialogue().Next(nil, false).Send)
				if lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n"); strings.ContainsAny(strings.Join(lines, ""), "\r\n") || !strings.HasPrefix(head, "GET ") {
					t.Errorf("%q has %q sent", location, head)
				}
			}
		}
	})
}

// FuzzSimpleUDP has servers answer with whatever datagrams: each is judged by
// itself.
func FuzzSimpleUDP(f *testing.F) {
	f.Add([]byte("OK"), []byte("what?"))
	f.Add([]byte{}, []byte{0xff})
	receive := compilePattern(f, "^OK")
	f.Fuzz(func(t *testing.T, first, second []byte) {
		alone := feedDatagrams(SimpleUDP{Receive: receive}.Dialogue(), []string{string(first)})
		both := feedDatagrams(SimpleUDP{Receive: receive}.Dialogue(), []string{string(first), string(second)})
		if alone.Done && errText(alone.Err) != errText(both.Err) {
			t.Errorf("%q is %v, and %v when %q follows", first, alone.Err, both.Err, second)
		}
		if isUp := alone.Done && alone.Err == nil; isUp != (len(first) > 1 && string(first[:2]) == "OK") {
			t.Errorf("%q: up is %v", first, isUp)
		}
	})
}
