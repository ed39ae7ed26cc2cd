package checker

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is what a server sends, as written by write.
func frames(write func(f *http2.Framer, block func(fields ...string) []byte)) string {
	var out bytes.Buffer
	var fields bytes.Buffer
	encoder := hpack.NewEncoder(&fields)
	framer := http2.NewFramer(&out, nil)
	framer.AllowIllegalWrites = true
	write(framer, func(pairs ...string) []byte {
		for i := 0; i < len(pairs); i += 2 {
			encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
		}
		return bytes.Clone(fields.Next(fields.Len()))
	})
	return out.String()
}

// headersFrame writes the fields of an answer, whole.
func headersFrame(f *http2.Framer, block []byte, end bool) {
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true, EndStream: end})
}

// Answers by HTTP/2 and the verdicts on them, however they are cut.
func TestHTTP2Answer(t *testing.T) {
	type block = func(fields ...string) []byte
	ok := HTTPOptions{Receive: compilePattern(t, "^Test Page$")}
	tests := []struct {
		name        string
		options     HTTPOptions
		answer      string
		detail, err string
	}{
		{"a page", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "200"), false)
			f.WriteData(1, false, []byte("Test "))
			f.WriteData(1, true, []byte("Page"))
		}), "200 OK", ""},
		{"with all that may come besides", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 20000})
			f.WriteSettingsAck()
			f.WriteWindowUpdate(0, 1000)
			f.WritePing(false, [8]byte{1, 2, 3})
			headersFrame(f, b(":status", "103", "link", "x"), false)
			fields := b(":status", "200", "x", strings.Repeat("y", 100))
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: fields[:5]})
			f.WriteContinuation(1, false, fields[5:9])
			f.WriteContinuation(1, true, fields[9:])
			f.WriteDataPadded(1, false, []byte("Test Page"), make([]byte, 20))
			f.WriteGoAway(1, http2.ErrCodeNo, nil)
			f.WriteRawFrame(0xbe, 0, 0, []byte("unknown"))
			headersFrame(f, b("x-trailer", "z"), true)
		}), "200 OK", ""},
		{"no body", HTTPOptions{}, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "299"), true)
		}), "299", ""},
		{"a status", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "503"), false)
		}), "503 Service Unavailable", "503 Service Unavailable"},
		{"wrong text", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "200"), false)
			f.WriteData(1, true, []byte("sorry"))
		}), "sorry", `receive "^Test Page$" not found in 5 bytes: "sorry"`},
		{"a limit", HTTPOptions{Limit: 4, Receive: compilePattern(t, "^Test$")}, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "200"), false)
			f.WriteData(1, false, []byte("Test Page"))
		}), "200 OK", ""},

		{"refused", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			f.WriteRSTStream(1, http2.ErrCodeRefusedStream)
		}), "", "the request was refused: REFUSED_STREAM"},
		{"gone away", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			f.WriteGoAway(0, http2.ErrCodeNo, nil)
		}), "", "the connection was refused: NO_ERROR"},
		{"calm down", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			f.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, []byte("too many pings"))
		}), "", "the connection was refused: ENHANCE_YOUR_CALM"},
		{"an end", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "200"), false)
			f.WriteData(1, false, []byte("Test"))
		}), "", "closed the connection before the end of the answer"},
		{"no answer", ok, "", "", "closed the connection before the end of the answer"},
		{"HTTP/1.1", ok, "HTTP/1.1 400 Bad Request\r\n\r\n", "", `no http/2: "HTTP/1.1 "`},
		{"no settings first", ok, frames(func(f *http2.Framer, _ block) { f.WritePing(false, [8]byte{}) }), "", `no http/2: "\x00\x00\b\x06\x00\x00\x00\x00\x00"`},
		{"a huge frame", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			f.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 16385))
		})[:60], "", "a frame of 16385 bytes"},
		{"another request's answer", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			f.WriteData(3, true, []byte("Test Page"))
		}), "", "a frame for request 3, which was not made"},
		{"fields that are none", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			headersFrame(f, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, true)
		}), "", "no http/2: decoding error: varint integer overflow"},
		{"fields that break off", ok, frames(func(f *http2.Framer, _ block) {
			f.WriteSettings()
			headersFrame(f, []byte{0x40, 5, 'a'}, true)
		}), "", "no http/2: decoding error: truncated headers"},
		{"fields that go on elsewhere", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b(":status", "200")})
			f.WriteData(1, true, []byte("Test Page"))
		}), "", "no http/2: connection error: PROTOCOL_ERROR"},
		{"no status", ok, frames(func(f *http2.Framer, b block) {
			f.WriteSettings()
			headersFrame(f, b(":status", "2000"), true)
		}), "", "no http/2: an answer without a status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Version = "2"
			h := newHTTP(t, tt.options)
			// The bytes sent depend on the cut: after the verdict the client
			// acknowledges nothing.
			for at := range len(tt.answer) + 1 {
				verdict, sent := feed(t, h.Dialogue(), []string{tt.answer[:at], tt.answer[at:]})
				if diff := cmp.Diff([]string{tt.detail, tt.err}, []string{verdict.Detail, errText(verdict.Err)}); diff != "" {
					t.Fatalf("cut at %d, detail and error (-want +got):\n%s", at, diff)
				}
				if !strings.HasPrefix(sent, string(h.request(nil))) {
					t.Errorf("sent %q, want the request first", sent)
				}
			}
		})
	}
}

// Settings and pings are answered.
func TestHTTP2Replies(t *testing.T) {
	answer := frames(func(f *http2.Framer, _ func(...string) []byte) {
		f.WriteSettings()
		f.WritePing(false, [8]byte{1, 2, 3, 4, 5, 6, 7, 8})
		f.WritePing(true, [8]byte{9})
	})
	want := frames(func(f *http2.Framer, _ func(...string) []byte) {
		f.WriteSettingsAck()
		f.WritePing(true, [8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	})
	h := newHTTP(t, HTTPOptions{Version: "2"})
	_, sent := splitEverywhere(t, h.Dialogue, answer)
	if got := strings.TrimPrefix(sent, string(h.request(nil))); got != want {
		t.Errorf("replied %q, want %q", got, want)
	}
}

// A server that never comes to the point is given up.
func TestHTTP2Endless(t *testing.T) {
	ping := frames(func(f *http2.Framer, _ func(...string) []byte) { f.WritePing(false, [8]byte{}) })
	answer := frames(func(f *http2.Framer, _ func(...string) []byte) { f.WriteSettings() }) +
		strings.Repeat(ping, (defaultLimit+maxHTTP2Extra)/len(ping)+1)
	got := feedBySize(newHTTP(t, HTTPOptions{Version: "2"}).Dialogue(), answer, 64<<10)
	if want := "too much besides the body"; errText(got.Err) != want {
		t.Errorf("pings without end: %v, want %s", got.Err, want)
	}
}

// Many headers need more than one frame.
func TestHTTP2LongRequest(t *testing.T) {
	long := []string{"X-A: " + strings.Repeat("a~", 9000), "X-B: " + strings.Repeat("b~", 9000)}
	h := newHTTP(t, HTTPOptions{Version: "2", Headers: long, VirtualHost: "www.example.com", HasVirtualHost: true})
	framer := http2.NewFramer(nil, strings.NewReader(strings.TrimPrefix(string(h.request(nil)), http2.ClientPreface)))
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.MaxHeaderListSize = 1 << 20
	var fields []string
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
			for _, field := range headers.Fields {
				fields = append(fields, field.Name+"="+field.Value)
			}
			break
		}
	}
	want := []string{
		":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com", "user-agent=ldirectord",
		"x-a=" + long[0][5:], "x-b=" + long[1][5:],
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestHTTP2BadPeers(t *testing.T) {
	for name, server := range map[string]func(net.Conn){
		"closes":       func(net.Conn) {},
		"resets":       reset,
		"HTTP/1.1":     answerLines("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
		"another":      answerLines("220 mx.example.com ESMTP\r\n"),
		"breaks off":   answerLines("\x00\x00\x06\x04"),
		"random bytes": answerLines("\x00\x00\x06\x04" + strings.Repeat("\xff\x00\x12", 100)),
	} {
		if _, err := talk(t, newHTTP(t, HTTPOptions{Version: "2"}), server); err == nil {
			t.Errorf("%s: up, want down", name)
		}
	}
}

func FuzzHTTP2Answer(f *testing.F) {
	f.Add([]byte(frames(func(f *http2.Framer, b func(...string) []byte) {
		f.WriteSettings()
		headersFrame(f, b(":status", "200"), false)
		f.WriteData(1, true, []byte("Test"))
	})), uint16(3))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint16(1))
	f.Fuzz(func(t *testing.T, answer []byte, size uint16) {
		h := newHTTP(t, HTTPOptions{Version: "2", Limit: 1000})
		whole := feedBySize(h.Dialogue(), string(answer), len(answer))
		cut := feedBySize(h.Dialogue(), string(answer), int(size)+1)
		if diff := cmp.Diff(outcome(whole, ""), outcome(cut, "")); diff != "" {
			t.Fatalf("cut at every %d bytes, the verdict differs (-whole +cut):\n%s", int(size)+1, diff)
		}
		if strings.ContainsAny(errText(whole.Err), "\r\n\x00") {
			t.Errorf("the error is not one line: %q", whole.Err)
		}
	})
}

func BenchmarkHTTP2Dialogue(b *testing.B) {
	answer := []byte(frames(func(f *http2.Framer, fields func(...string) []byte) {
		f.WriteSettings()
		headersFrame(f, fields(":status", "200", "server", "nginx", "content-type", "text/html"), false)
		f.WriteData(1, true, []byte(strings.Repeat("x", 303)+"Test Page"))
	}))
	h := newHTTP(b, HTTPOptions{Version: "2", Receive: compilePattern(b, "Test Page")})
	b.ReportAllocs()
	for b.Loop() {
		d := h.Dialogue()
		d.Next(nil, false)
		if step := d.Next(answer, false); !step.Done || step.Err != nil {
			b.Fatal(fmt.Sprint(step))
		}
	}
}
