package checker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/perlre"
)

// Answers and the verdicts on them, however they are cut.
func TestHTTPAnswer(t *testing.T) {
	page := "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nTest Page\n"
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	ok := HTTPOptions{Receive: compilePattern(t, "^Test Page$")}
	tests := []struct {
		name        string
		options     HTTPOptions
		answer      string
		detail, err string
	}{
		{"length", ok, page, "200 OK", ""},
		{"length, and the connection stays", ok, page + "HTTP/1.1 400 Bad Request\r\n\r\n", "200 OK", ""},
		{"up to the end", ok, "HTTP/1.0 200 OK\r\n\r\nTest Page\n", "200 OK", ""},
		{"line ends of LF alone", ok, "HTTP/1.1 200 OK\nContent-Length: 9\n\nTest Page", "200 OK", ""},
		{"chunks", ok, chunked + "5\r\nTest \r\n00005;a=b\r\nPage\n\r\n0\r\nX: y\r\n\r\n", "200 OK", ""},
		{"chunks beat a length", ok, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n9\r\nTest Page\r\n0\r\n\r\n", "200 OK", ""},
		{"continue", ok, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + page, "200 OK", ""},
		{"another reason", HTTPOptions{}, "HTTP/1.1 299 Very  well\r\nContent-Length: 0\r\n\r\n", "299 Very  well", ""},
		{"no reason", HTTPOptions{}, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200", ""},
		{"no content", HTTPOptions{}, "HTTP/1.1 204 No Content\r\n\r\n", "204 No Content", ""},
		{"no content does not match", ok, "HTTP/1.1 204 No Content\r\n\r\n", "", `receive "^Test Page$" not found in 0 bytes: ""`},
		{"HEAD", HTTPOptions{Method: "HEAD"}, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "200 OK", ""},
		{"HEAD has nothing to match", HTTPOptions{Method: "HEAD", Receive: ok.Receive}, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "", `receive "^Test Page$" not found in 0 bytes: ""`},
		{"a length that is none", ok, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nTest Page", "200 OK", ""},
		{"folded and odd fields", ok, "HTTP/1.1 200 OK\r\nno colon\r\n Content-Length: 1\r\n:\r\nCONTENT-LENGTH:9 \r\n\r\nTest Page", "200 OK", ""},

		{"a blank before the colon", ok, "HTTP/1.1 200 OK\r\nContent-Length : 9\r\n\r\nTest Page, and the connection stays", "200 OK", ""},
		{"chunks with a blank before the colon", ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n9\r\nTest Page\r\n0\r\n\r\n", "200 OK", ""},
		{"a folded length", ok, "HTTP/1.1 200 OK\r\nX: a\r\n\tContent-Length: 1\r\nContent-Length:\r\n 9\r\n\r\nTest Page, and the connection stays", "200 OK", ""},
		{"a folded length with LF alone", ok, "HTTP/1.1 200 OK\nContent-Length:\n\t9\n\nTest Page, and the connection stays", "200 OK", ""},
		{"tabs in the status line", ok, "HTTP/1.1\t200\tOK\r\nContent-Length: 9\r\n\r\nTest Page", "200\\tOK", ""},
		{"a version without a minor one", ok, "HTTP/2 200 OK\r\nContent-Length: 9\r\n\r\nTest Page", "200 OK", ""},

		{"wrong text", ok, "HTTP/1.1 200 OK\r\n\r\n<html>sorry\x1b\xff", "<html>sorry??", `receive "^Test Page$" not found in 13 bytes: "<html>sorry\x1b\xff"`},
		{"status", ok, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 99\r\n\r\n", "503 Service Unavailable", "503 Service Unavailable"},
		{"an expected status", HTTPOptions{Status: Statuses{{200, 299}, {401, 401}}}, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401 Unauthorized", ""},
		{"200 is not expected", HTTPOptions{Status: Statuses{{401, 401}}}, page, "200 OK", "200 OK"},
		{"switching", HTTPOptions{}, "HTTP/1.1 101 Switching Protocols\r\n\r\n", "101 Switching Protocols", "101 Switching Protocols"},
		{"a reason that would spoil a log", HTTPOptions{}, "HTTP/1.1 500 \x1b[31m\xff\"\r\n\r\n", `500 \x1b[31m\xff\"`, `500 \x1b[31m\xff\"`},
		{"receivenot is not found", HTTPOptions{ReceiveNot: compilePattern(t, "ERROR")}, page, "200 OK", ""},
		{"receivenot is found", HTTPOptions{ReceiveNot: compilePattern(t, "Page")}, page, "Test Page\n", `receivenot "Page" found in 10 bytes: "Test Page\n"`},
		{"a status drains", HTTPOptions{Drain: Statuses{{404, 404}}, Status: Statuses{{404, 404}}}, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 Not Found", "drains: 404 Not Found"},
		{"a redirect drains", HTTPOptions{Drain: Statuses{{302, 302}}}, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "302 Found", "drains: 302 Found"},
		{"another status does not drain", HTTPOptions{Drain: Statuses{{404, 404}}}, page, "200 OK", ""},
		{"receivedrain wins over receive", HTTPOptions{Receive: ok.Receive, ReceiveDrain: compilePattern(t, "Page"), ReceiveNot: compilePattern(t, "Page")}, page, "Test Page\n", `drains: receivedrain "Page" found in "Test Page\n"`},
		{"receivedrain is not found", HTTPOptions{Receive: ok.Receive, ReceiveDrain: compilePattern(t, "leaving")}, page, "200 OK", ""},
		{"the status is bad before receivedrain", HTTPOptions{ReceiveDrain: compilePattern(t, "Page")}, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nTest Page", "503 Service Unavailable", "503 Service Unavailable"},
		{"a limit on a length", HTTPOptions{Limit: 4, Receive: compilePattern(t, "^Test$")}, page, "200 OK", ""},
		{"a limit on chunks", HTTPOptions{Limit: 4, Receive: compilePattern(t, "^Test$")}, chunked + "3\r\nTes\r\nffff\r\nt Page", "200 OK", ""},
		{"a limit on the rest", HTTPOptions{Limit: 4, Receive: compilePattern(t, "^Test$")}, "HTTP/1.1 200 OK\r\n\r\nTest Page", "200 OK", ""},

		{"nothing", HTTPOptions{}, "", "", "closed the connection without an answer"},
		{"another protocol", HTTPOptions{}, "SSH-2.0-OpenSSH_9.2\r\n", "", `no http answer: "SSH-2.0-OpenSSH_9.2\r"`},
		{"another protocol without a line end", HTTPOptions{}, "\x15\x03\x01\x00\x02\x02F", "", `no http answer: "\x15\x03\x01\x00\x02\x02F"`},
		{"HTTP/0.9", HTTPOptions{}, "<html>\nTest Page", "", `no http answer: "<html>"`},
		{"a status of two digits", HTTPOptions{}, "HTTP/1.1 20 OK\r\n\r\n", "", `no http answer: "HTTP/1.1 20 OK\r"`},
		{"a status of four digits", HTTPOptions{}, "HTTP/1.1 2000 OK\r\n\r\n", "", `no http answer: "HTTP/1.1 2000 OK\r"`},
		{"a status that is no number", HTTPOptions{}, "HTTP/1.1 2x0 OK\r\n\r\n", "", `no http answer: "HTTP/1.1 2x0 OK\r"`},
		{"no version", HTTPOptions{}, "HTTP 200 OK\r\n\r\n", "", `no http answer: "HTTP 200 OK\r"`},
		{"an end in the head", HTTPOptions{}, "HTTP/1.1 200 OK\r\nContent-", "", "closed the connection in the head of the answer"},
		{"an end in the body", ok, "HTTP/1.1 200 OK\r\nContent-Length: 312\r\n\r\nTest Page\n", "200 OK", "closed the connection after 10 of 312 bytes of the body"},
		{"an end in a chunk", ok, chunked + "ff\r\nTest", "200 OK", "closed the connection in the middle of a chunk"},
		{"an end behind a chunk", ok, chunked + "4\r\nTest\r\n", "200 OK", "closed the connection in the middle of a chunk"},
		{"a chunk without a size", ok, chunked + "Test\r\n", "200 OK", `no chunk: "Test"`},
		{"a chunk too long for its size", ok, chunked + "3\r\nTest\r\n", "200 OK", `a chunk does not end where it should: "t"`},
		{"a chunk of negative size", ok, chunked + "-1\r\nTest\r\n", "200 OK", `no chunk: "-1"`},
		{"a chunk of enormous size", ok, chunked + "ffffffffffffffffffff\r\nTest\r\n", "200 OK", `no chunk: "ffffffffffffffffffff"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHTTP(t, tt.options)
			verdict, sent := splitEverywhere(t, h.Dialogue, tt.answer)
			if diff := cmp.Diff([]string{tt.detail, tt.err}, []string{verdict.Detail, errText(verdict.Err)}); diff != "" {
				t.Errorf("detail and error (-want +got):\n%s", diff)
			}
			if sent != string(h.request(nil)) {
				t.Errorf("sent %q, want only the request", sent)
			}
		})
	}
}

// An answer beyond a limit ends the check, one of exactly that length does not.
func TestHTTPAnswerTooLong(t *testing.T) {
	head := func(n int) string {
		begin := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: "
		return begin + strings.Repeat("x", n-len(begin)-4) + "\r\n\r\n"
	}
	tests := []struct{ name, answer, err string }{
		{"a head as long as allowed", head(maxHead), ""},
		{"a head too long", head(maxHead + 1), "the head of the answer is longer than 64 KiB"},
		{"a head without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 20_000), "the head of the answer is longer than 64 KiB"},
		{"a status line without end", "HTTP/1.1 200 " + strings.Repeat("x", 1<<20), "the head of the answer is longer than 64 KiB"},
		{"continue without end", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 4000), "the head of the answer is longer than 64 KiB"},
		{"a banner without end", strings.Repeat("x", 1<<20), `no http answer: "` + strings.Repeat("x", 60) + `…"`},
		{"a chunk line without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("0", 1<<20), `no chunk: "` + strings.Repeat("0", 60) + `…"`},
		{"a body without end", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 2<<20), ""},
	}
	for _, tt := range tests {
		for _, size := range []int{len(tt.answer), 1, 1460, 65536} {
			t.Run(fmt.Sprintf("%s by %d", tt.name, size), func(t *testing.T) {
				d := newHTTP(t, HTTPOptions{}).Dialogue()
				if got := feedBySize(d, tt.answer, size); errText(got.Err) != tt.err {
					t.Errorf("verdict %v, want %q", got.Err, tt.err)
				}
			})
		}
	}
}

// feedBySize hands answer to d in pieces of size bytes, without copying as
// feed does.
func feedBySize(d Dialogue, answer string, size int) Step {
	in := []byte(answer)
	from := 0
	step := d.Next(nil, false)
	for to := min(size, len(in)); !step.Done && step.Follow == nil; to = min(to+size, len(in)) {
		step = d.Next(in[from:to], false)
		from += step.Consumed
		if to == len(in) && !step.Done {
			return d.Next(in[from:], true)
		}
	}
	return step
}

func FuzzHTTPAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nTest"), uint16(3), false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nTest\r\n0\r\n\r\n"), uint16(1), false)
	f.Add([]byte("HTTP/1.1 302 Found\r\nLocation: //a/b\r\n\r\n"), uint16(7), true)
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\n\nTest"), uint16(20), false)
	receive, err := perlre.Compile("Test")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte, size uint16, same bool) {
		o := HTTPOptions{Receive: receive, Limit: 1000}
		if same {
			o.Follow = FollowSame
		}
		h := newHTTP(t, o)
		whole := feedBySize(h.Dialogue(), string(answer), len(answer))
		cut := feedBySize(h.Dialogue(), string(answer), int(size)+1)
		if diff := cmp.Diff(outcome(whole, ""), outcome(cut, "")); diff != "" {
			t.Errorf("cut at every %d bytes, the verdict differs (-whole +cut):\n%s", int(size)+1, diff)
		}
		if strings.ContainsAny(errText(whole.Err), "\r\n\x00") {
			t.Errorf("the error is not one line: %q", whole.Err)
		}
	})
}

// The cost of one check without I/O.
func BenchmarkHTTPDialogue(b *testing.B) {
	answer := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 02:12:00 GMT\r\nContent-Type: text/html\r\n" +
		"Content-Length: 312\r\nLast-Modified: Sat, 21 Nov 2026 02:12:00 GMT\r\nConnection: close\r\nETag: \"1234\"\r\nAccept-Ranges: bytes\r\n\r\n" +
		strings.Repeat("x", 303) + "Test Page")
	h := newHTTP(b, HTTPOptions{Receive: compilePattern(b, "Test Page")})
	b.ReportAllocs()
	for b.Loop() {
		d := h.Dialogue()
		d.Next(nil, false)
		if step := d.Next(answer, false); !step.Done || step.Err != nil {
			b.Fatal(step)
		}
	}
}
