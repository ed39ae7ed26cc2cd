package checker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHTTPFollow has redirects, and the request that follows each.
func TestHTTPFollow(t *testing.T) {
	vhost := HTTPOptions{Request: "/a/b?c", VirtualHost: "www.example.com", HasVirtualHost: true, Headers: []string{"Cookie: secret"}}
	same, no := vhost, vhost
	same.Follow, no.Follow = FollowSame, FollowNo
	withStatus := vhost
	withStatus.Status = Statuses{{200, 302}}
	proxy := HTTPOptions{Service: "http_proxy", Request: "http://www.example.com/x"}
	https := HTTPOptions{Service: "https", Request: "/a", Follow: FollowSame}
	tests := []struct {
		name     string
		options  HTTPOptions
		location string
		want     string // the target, the first line and the headers of the next request; else the verdict
	}{
		{"a path", vhost, "/x?y#z", "10.1.0.3:8080|GET /x?y HTTP/1.1|Host: 10.1.0.3:8080|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"a relative path", vhost, "../x", "10.1.0.3:8080|GET /x HTTP/1.1|Host: 10.1.0.3:8080|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"a query", vhost, "?x", "10.1.0.3:8080|GET /a/b?x HTTP/1.1|Host: 10.1.0.3:8080|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"the same URL with blanks", vhost, "  http://10.1.0.3:8080/a%20b", "10.1.0.3:8080|GET /a%20b HTTP/1.1|Host: 10.1.0.3:8080|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"another server", vhost, "http://[fd00::4]:81", "[fd00::4]:81|GET / HTTP/1.1|Host: [fd00::4]:81|User-Agent: ldirectord|Connection: close"},
		{"a name, without a scheme", vhost, "//www.example.org/x", "www.example.org:80|GET /x HTTP/1.1|Host: www.example.org|User-Agent: ldirectord|Connection: close"},
		{"https", vhost, "https://www.example.org/x", "www.example.org:443 tls www.example.org|GET /x HTTP/1.1|Host: www.example.org|User-Agent: ldirectord|Connection: close"},
		{"through the proxy again", proxy, "/y", "10.1.0.3:8080|GET http://www.example.com/y HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Connection: close"},
		{"through the proxy to https", proxy, "https://www.example.org/", "10.1.0.3:8080|CONNECT www.example.org:443 HTTP/1.1|Host: www.example.org:443|User-Agent: ldirectord"},

		{"same: a path", same, "/x", "10.1.0.3:8080|GET /x HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"same: another server", same, "http://www.example.org:81/x", "10.1.0.3:8080|GET /x HTTP/1.1|Host: www.example.org:81|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"same: https", same, "https://www.example.com/x", "10.1.0.3:443 tls www.example.com|GET /x HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Cookie: secret|Connection: close"},
		{"same: https to http", https, "http://www.example.com/x", "10.1.0.3:80|GET /x HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Connection: close"},
		{"same: https stays", https, "https://www.example.com/x", "10.1.0.3:8080 tls|GET /x HTTP/1.1|Host: www.example.com|User-Agent: ldirectord|Connection: close"},

		{"no", no, "/x", "302 Found"},
		{"an expected status", withStatus, "/x", "up 302 Found"},
		{"no Location", vhost, "", "302 Found without a Location"},
		{"mail", vhost, "mailto:a@b", `302 Found: invalid Location: "mailto:a@b"`},
		{"a file", vhost, "file:///etc/passwd", `302 Found: invalid Location: "file:///etc/passwd"`},
		{"ftp", vhost, "ftp://a/b", `302 Found: url "ftp://a/b" is neither http nor https`},
		{"no URL", vhost, "http://[::1", `302 Found: invalid Location: "http://[::1"`},
		{"no host", vhost, "http://a b/", `302 Found: invalid Location: "http://a b/"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + tt.location + "\r\n\r\n"
			verdict, _ := splitEverywhere(t, newHTTP(t, tt.options).Dialogue, answer)
			if diff := cmp.Diff(tt.want, describeFollow(verdict)); diff != "" {
				t.Errorf("after Location %s (-want +got):\n%s", tt.location, diff)
			}
		})
	}
}

// describeFollow is the target of a Step and the request there, else its verdict.
func describeFollow(step Step) string {
	switch {
	case step.Err != nil:
		return step.Err.Error()
	case step.Done:
		return "up " + step.Detail
	}
	request := string(step.Follow.Dialogue().Next(nil, false).Send)
	return describeTarget(step.Follow.Target()) + "|" + strings.ReplaceAll(strings.TrimSuffix(request, "\r\n\r\n"), "\r\n", "|")
}

// All statuses that lead elsewhere do, up to seven times.
func TestHTTPFollowSeven(t *testing.T) {
	for status, redirect := range map[int]bool{300: false, 301: true, 302: true, 303: true, 304: false, 305: false, 307: true, 308: true} {
		answer := fmt.Sprintf("HTTP/1.1 %d Elsewhere\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n", status)
		var talker Talker = newHTTP(t, HTTPOptions{})
		var verdict Step
		times := 0
		for ; times < 20; times++ {
			verdict, _ = feed(t, talker.Dialogue(), []string{answer})
			if verdict.Follow == nil {
				break
			}
			talker = verdict.Follow
		}
		wantTimes, wantErr := 0, fmt.Sprintf("%d Elsewhere", status)
		if redirect {
			wantTimes, wantErr = 7, fmt.Sprintf("redirected to http://10.1.0.3:8080/next: %d Elsewhere after 7 redirects", status)
		}
		if times != wantTimes || errText(verdict.Err) != wantErr {
			t.Errorf("%d: followed %d times, then %v, want %d times, then %s", status, times, verdict.Err, wantTimes, wantErr)
		}
	}
}
