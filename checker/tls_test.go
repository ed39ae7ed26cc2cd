package checker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var _ Talker = TLS{}

// An authority issues certificates for tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// issue makes a certificate for names and addresses that expires at notAfter.
func (a *authority) issue(t *testing.T, notAfter time.Time, names ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: notAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// shakeHands is a server for talk that does no more.
func shakeHands(config *tls.Config) func(net.Conn) {
	return func(conn net.Conn) {
		secure := tls.Server(conn, config)
		secure.Handshake()
		io.Copy(io.Discard, secure)
	}
}

func TestTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-time.Hour)
	good := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, tomorrow, "www.example.com", "10.1.0.3")}}
	expired := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, yesterday, "www.example.com")}}
	old := &tls.Config{Certificates: good.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	tests := []struct {
		name    string
		options TLSOptions
		server  *tls.Config
		err     string // a part of it, "" is up
	}{
		{"the name does not matter", TLSOptions{CAFile: ca.file, Name: "other.example.com"}, good, ""},
		{"unknown authority", TLSOptions{CAFile: other.file}, good, "certificate signed by unknown authority"},
		{"not the system's", TLSOptions{}, good, "certificate signed by unknown authority"},
		{"expired", TLSOptions{CAFile: ca.file}, expired, "certificate has expired"},
		{"none: unknown authority", TLSOptions{Verify: VerifyNone}, good, ""},
		{"none: expired", TLSOptions{Verify: VerifyNone}, expired, ""},
		{"full: right name", TLSOptions{Verify: VerifyFull, CAFile: ca.file, Name: "www.example.com"}, good, ""},
		{"full: right address", TLSOptions{Verify: VerifyFull, CAFile: ca.file, Name: "10.1.0.3"}, good, ""},
		{"full: wrong name", TLSOptions{Verify: VerifyFull, CAFile: ca.file, Name: "other.example.com"}, good, "not other.example.com"},
		{"full: wrong address", TLSOptions{Verify: VerifyFull, CAFile: ca.file, Name: "10.1.0.4"}, good, "not 10.1.0.4"},
		{"full: unknown authority", TLSOptions{Verify: VerifyFull, CAFile: other.file, Name: "www.example.com"}, good, "unknown authority"},
		{"TLS 1.1 only", TLSOptions{CAFile: ca.file}, old, "protocol version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var notAfter time.Time
			tt.options.OnLeaf = func(at time.Time) { notAfter = at }
			config, err := TLSConfig(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = talk(t, TLS{Config: config}, shakeHands(tt.server))
			if (err == nil) != (tt.err == "") || !strings.Contains(errText(err), tt.err) {
				t.Errorf("handshake: %v, want an error with %q", err, tt.err)
			}
			leaf, err := x509.ParseCertificate(tt.server.Certificates[0].Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			if tt.server != old && !notAfter.Equal(leaf.NotAfter) {
				t.Errorf("OnLeaf was told %v, want %v", notAfter, leaf.NotAfter)
			}
		})
	}
}

// The intermediate certificates that a server sends are used.
func TestTLSIntermediate(t *testing.T) {
	ca := newAuthority(t)
	between := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "between"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, between.key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if between.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	leaf := between.issue(t, time.Now().Add(time.Hour), "www.example.com")
	leaf.Certificate = append(leaf.Certificate, der)
	config, err := TLSConfig(TLSOptions{CAFile: ca.file})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := talk(t, TLS{Config: config}, shakeHands(&tls.Config{Certificates: []tls.Certificate{leaf}})); err != nil {
		t.Errorf("handshake with an intermediate certificate: %v", err)
	}
}

// TestTLSServerName has a name, which is sent to the server, and an address, which
// is not.
func TestTLSServerName(t *testing.T) {
	ca := newAuthority(t)
	certificate := ca.issue(t, time.Now().Add(time.Hour), "www.example.com")
	for name, want := range map[string]string{"www.example.com": "www.example.com", "www.example.com.:8443": "www.example.com", "10.1.0.3": "", "[fd00::1]:443": "", "fd00::1": "", "": ""} {
		asked := make(chan string, 1)
		server := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			asked <- hello.ServerName
			return &certificate, nil
		}}
		config, err := TLSConfig(TLSOptions{CAFile: ca.file, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := talk(t, TLS{Config: config}, shakeHands(server)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if got := <-asked; got != want {
			t.Errorf("the server was asked for %q, want %q", got, want)
		}
	}
}

func TestTLSClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	mine := ca.issue(t, time.Now().Add(time.Hour), "director")
	file := filepath.Join(t.TempDir(), "director.pem")
	key, err := x509.MarshalPKCS8PrivateKey(mine.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: mine.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.certificate)
	server := &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, time.Now().Add(time.Hour), "www.example.com")},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients,
		MaxVersion: tls.VersionTLS12, // with 1.3 the client has finished before it is refused
	}
	for certFile, up := range map[string]bool{file: true, "": false} {
		config, err := TLSConfig(TLSOptions{CAFile: ca.file, CertFile: certFile})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := talk(t, TLS{Config: config}, shakeHands(server)); (err == nil) != up {
			t.Errorf("with client certificate %q: %v, want up %v", certFile, err, up)
		}
	}
}

func TestTLSConfigErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		options TLSOptions
		err     string
	}{
		{"no name", TLSOptions{Verify: VerifyFull}, "a certificate's name cannot be verified: no name is known"},
		{"no such CA file", TLSOptions{CAFile: "/none/ca.pem"}, "open /none/ca.pem: no such file or directory"},
		{"no CA in the file", TLSOptions{CAFile: empty}, empty + ": no certificate in it"},
		{"no such certificate", TLSOptions{CertFile: "/none/c.pem"}, "client certificate /none/c.pem: open /none/c.pem: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := TLSConfig(tt.options); errText(err) != tt.err {
				t.Errorf("TLSConfig: %v, want %s", err, tt.err)
			}
		})
	}
}

// Peers that are no TLS servers.
func TestTLSBadPeers(t *testing.T) {
	config, err := TLSConfig(TLSOptions{Verify: VerifyNone})
	if err != nil {
		t.Fatal(err)
	}
	c := TLS{Addr: netip.MustParseAddrPort("10.1.0.3:443"), Config: config}
	if got, want := c.String(), "tls handshake with 10.1.0.3:443"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	for name, server := range map[string]func(net.Conn){
		"plain text":   answerLines("220 mx.example.com ESMTP\r\n"),
		"closes":       func(net.Conn) {},
		"resets":       reset,
		"random bytes": answerLines(strings.Repeat("\x16\x03\x01\xff", 100)),
	} {
		if _, err := talk(t, c, server); err == nil {
			t.Errorf("%s: up, want down", name)
		}
	}
}

// reset is a server that ends with a reset as soon as something arrives.
func reset(conn net.Conn) {
	conn.Read(make([]byte, 1))
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}
