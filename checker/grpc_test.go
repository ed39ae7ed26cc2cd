package checker

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

var _ Talker = GRPC{}

// healthServer answers as a grpc server does that has the health service.
func healthServer() http.Handler {
	statuses := map[string]byte{"": 1, "shop": 1, "pay": 2, "old": 3, "new": 0}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/grpc.health.v1.Health/Check" ||
			r.Header.Get("Content-Type") != "application/grpc" || r.Header.Get("Te") != "trailers" ||
			len(body) < 5 || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
			http.Error(w, "no grpc", http.StatusUnsupportedMediaType)
			return
		}
		service := ""
		if message := body[5:]; len(message) > 0 {
			service = string(message[2 : 2+message[1]]) // field 1, its length, its bytes
		}
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		status, ok := statuses[service]
		if !ok {
			w.Header().Set("Grpc-Status", "5")
			w.Header().Set("Grpc-Message", "unknown service "+strings.ReplaceAll(service, " ", "%20"))
			return
		}
		message := []byte{0x10, 7, 1 << 3, status} // an unknown field first
		w.Write(append([]byte{0, 0, 0, 0, byte(len(message))}, message...))
		w.Header().Set("Grpc-Status", "0")
	})
}

func TestGRPC(t *testing.T) {
	ca := newAuthority(t)
	config, err := TLSConfig(TLSOptions{CAFile: ca.file})
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewUnstartedServer(healthServer())
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(healthServer())
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, time.Now().Add(time.Hour), "www.example.com")}}
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	tests := []struct{ service, detail, err string }{
		{"", "SERVING", ""},
		{"shop", "SERVING", ""},
		{"pay", "NOT_SERVING", "NOT_SERVING"},
		{"old", "SERVICE_UNKNOWN", "SERVICE_UNKNOWN"},
		{"new", "UNKNOWN", "UNKNOWN"},
		{"no such", "", `grpc status NOT_FOUND: "unknown service no such"`},
	}
	for _, tt := range tests {
		for name, g := range map[string]GRPC{
			"plain":  {Addr: serverAddr(t, plain), Service: tt.service},
			"secure": {Addr: serverAddr(t, secure), Service: tt.service, TLS: config, Host: "www.example.com"},
		} {
			t.Run(name+" "+tt.service, func(t *testing.T) {
				detail, err := talkOver(t, g, dialTarget)
				if detail != tt.detail || errText(err) != tt.err {
					t.Errorf("%s: %q, %v, want %q, %q", g, detail, err, tt.detail, tt.err)
				}
			})
		}
	}
	if config.NextProtos != nil {
		t.Errorf("the configuration that was given now speaks %q, want it as it was", config.NextProtos)
	}
	// A web server without grpc.
	web := httptest.NewUnstartedServer(web())
	web.Config.Protocols = plain.Config.Protocols
	web.Start()
	t.Cleanup(web.Close)
	_, err = talkOver(t, GRPC{Addr: serverAddr(t, web)}, dialTarget)
	if want := `no grpc status in the answer: "Test Page of `; !strings.HasPrefix(errText(err), want) {
		t.Errorf("a web server: %v, want %s", err, want)
	}
}

func TestGRPCString(t *testing.T) {
	g := GRPC{Addr: netip.MustParseAddrPort("[fd00::3]:50051"), Service: "shop"}
	if got, want := g.String(), `grpc health of "shop" at [fd00::3]:50051`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

// Answers that are cut at every byte, good ones and bad ones.
func TestGRPCAnswer(t *testing.T) {
	answer := func(status, grpcStatus string, body string) string {
		return frames(func(f *http2.Framer, b func(...string) []byte) {
			f.WriteSettings()
			headersFrame(f, b(":status", status), false)
			f.WriteData(1, false, []byte(body))
			headersFrame(f, b("grpc-status", grpcStatus, "grpc-message", "it%20broke%0a"), true)
		})
	}
	tests := []struct{ name, answer, detail, err string }{
		{"serving", answer("200", "0", "\x00\x00\x00\x00\x02\x08\x01"), "SERVING", ""},
		{"an empty message is unknown", answer("200", "0", "\x00\x00\x00\x00\x00"), "UNKNOWN", "UNKNOWN"},
		{"fields of all kinds", answer("200", "0", "\x00\x00\x00\x00\x15\x12\x03abc\x19\x00\x00\x00\x00\x00\x00\x00\x00\x25\x00\x00\x00\x00\x08\x01"), "SERVING", ""},
		{"status", answer("503", "0", ""), "", "503 Service Unavailable"},
		{"an error", answer("200", "14", ""), "", `grpc status UNAVAILABLE: "it broke\n"`},
		{"an error without a name", answer("200", "99", ""), "", `grpc status "99": "it broke\n"`},
		{"no message", answer("200", "0", ""), "", `no grpc message: ""`},
		{"a compressed message", answer("200", "0", "\x01\x00\x00\x00\x02\x08\x01"), "", `no grpc message: "\x01\x00\x00\x00\x02\b\x01"`},
		{"a wrong length", answer("200", "0", "\x00\x00\x00\x00\x03\x08\x01"), "", `no grpc message: "\x00\x00\x00\x00\x03\b\x01"`},
		{"a field that breaks off", answer("200", "0", "\x00\x00\x00\x00\x02\x12\x05"), "", `no answer of the health service: "\x12\x05"`},
		{"a number that breaks off", answer("200", "0", "\x00\x00\x00\x00\x02\x08\xff"), "", `no answer of the health service: "\b\xff"`},
		{"a field of no kind", answer("200", "0", "\x00\x00\x00\x00\x02\x0b\x01"), "", `no answer of the health service: "\v\x01"`},
		{"not HTTP/2", "220 mx.example.com ESMTP\r\n", "", `no http/2: "220 mx.ex"`},
		{"an end", "", "", "closed the connection before the end of the answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for at := range len(tt.answer) + 1 {
				verdict, _ := feed(t, GRPC{}.Dialogue(), []string{tt.answer[:at], tt.answer[at:]})
				if verdict.Detail != tt.detail || errText(verdict.Err) != tt.err {
					t.Fatalf("cut at %d: %q, %v, want %q, %q", at, verdict.Detail, verdict.Err, tt.detail, tt.err)
				}
			}
		})
	}
}

func FuzzGRPCHealth(f *testing.F) {
	f.Add([]byte("\x08\x01"))
	f.Add([]byte("\x12\x03abc\x19\x00\x00\x00\x00\x00\x00\x00\x00\x25\x00\x00\x00\x00\x08\x01"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if _, err := readHealth(&http2Answer{
			fields: map[string]string{":status": "200", "grpc-status": "0"},
			body:   grpcMessage(message),
		}); err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q is not one line", err)
		}
	})
}

func TestGRPCBadPeers(t *testing.T) {
	for name, server := range map[string]func(net.Conn){
		"closes":   func(net.Conn) {},
		"resets":   reset,
		"HTTP/1.1": answerLines("HTTP/1.1 400 Bad Request\r\n\r\n"),
	} {
		if _, err := talk(t, GRPC{}, server); err == nil {
			t.Errorf("%s: up, want down", name)
		}
	}
}
