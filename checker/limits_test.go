package checker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestRepeatedContentLength has a length that a proxy has repeated count once, and
// one that contradicts itself not at all (RFC 9112, section 6.3).
func TestRepeatedContentLength(t *testing.T) {
	e := engine.New(engine.Options{})
	defer e.Close()
	for length, want := range map[string]string{"2": "", "2, 2": "", "2,2 ,2": "", "3, 3": "closed the connection after 2 of 3 bytes of the body"} {
		addr := lab.ServeAt(t, "127.0.0.1:0", func(conn net.Conn) {
			conn.Read(make([]byte, 4096))
			conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: " + length + "\r\n\r\nOK"))
		})
		h := newHTTP(t, checker.HTTPOptions{Service: "http", Request: "/", Receive: receive(t, "OK")}, addr, nil)
		got := ""
		if err := e.Ask(t.Context(), h, 20*time.Second, 1).Err; err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Content-Length: %s: error %q, want %q", length, got, want)
		}
	}
}

// TestSIPWithoutRport has servers without RFC 3581, which answer to the address in
// Via, over IPv4 and IPv6.
func TestSIPWithoutRport(t *testing.T) {
	e := engine.New(engine.Options{})
	defer e.Close()
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(listen, func(t *testing.T) {
			conn, err := net.ListenPacket("udp", listen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() {
				for in := make([]byte, 4096); ; {
					n, _, err := conn.ReadFrom(in)
					if err != nil {
						return
					}
					_, via, _ := strings.Cut(string(in[:n]), "Via: SIP/2.0/UDP ")
					sentBy, _, _ := strings.Cut(via, ";")
					if to, err := netip.ParseAddrPort(sentBy); err == nil {
						conn.WriteTo([]byte("SIP/2.0 200 OK\r\n\r\n"), net.UDPAddrFromAddrPort(to))
					}
				}
			}()
			addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
			check := checker.SIP{Network: "udp", Addr: addr, Login: "m@example.com"}
			if err := e.Ask(t.Context(), check, 5*time.Second, 1).Err; err != nil {
				t.Errorf("%v: %v", check, err)
			}
		})
	}
}

// TestCipherSuites has servers offer one of Go's suites with AES or ChaCha20
// each, secure or not: a check speaks them all.
func TestCipherSuites(t *testing.T) {
	config, err := checker.TLSConfig(checker.TLSOptions{Verify: checker.VerifyNone})
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	issue := func(public, private any) tls.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	}
	certificates := []tls.Certificate{issue(ecKey.Public(), ecKey), issue(rsaKey.Public(), rsaKey)}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if strings.Contains(suite.Name, "RC4") || strings.Contains(suite.Name, "3DES") || suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue // OpenSSL in Debian has no RC4 and no 3DES; those of TLS 1.3 cannot be chosen
		}
		t.Run(suite.Name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				defer theirs.Close()
				server := tls.Server(theirs, &tls.Config{Certificates: certificates, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
				server.Handshake()
			}()
			if err := tls.Client(ours, config).HandshakeContext(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
