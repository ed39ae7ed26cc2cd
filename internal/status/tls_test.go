package status

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/report"
)

// writeCertificate writes a certificate of 127.0.0.1 with its key, which signs itself, as the
// file at path.
func writeCertificate(t *testing.T, path string, serial int64) {
	t.Helper()
	writeCertificateFor(t, path, serial, time.Hour)
}

// writeCertificateFor writes one that is valid for a time from now on.
func writeCertificateFor(t *testing.T, path string, serial int64, life time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "director"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestStatusOverTLS takes orders of the fleet over TLS, and nothing in plain text.
func TestStatusOverTLS(t *testing.T) {
	h := newHouse(t, plainConfig)
	writeCertificate(t, h.path("c.pem"), 1)
	if err := os.WriteFile(h.path("token"), []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := conf.StatusServer{StatusControl: true, StatusToken: h.path("token"), StatusCert: h.path("c.pem"), StatusCA: h.path("c.pem")}
	at := h.listens(t, conf.Config{StatusServer: cfg})
	cfg.Directors = []string{at}
	f, err := fleet.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := f.Order(t.Context(), report.Order{Verb: report.Drain, Real: "10.1.0.1", Comment: "try"})
	if err != nil || answers[0].Err != nil || len(answers[0].Value.Obeyed) == 0 {
		t.Fatalf("%+v, %v", answers, err)
	}
	if by := answers[0].Value.Obeyed[0].By; !strings.HasPrefix(by, "operator with statustoken from 127.0.0.1:") {
		t.Errorf("the order is by %s", by)
	}
	if resp, body := send(t, at, "GET", "/api/v1/snapshot", ""); resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "HTTPS server") {
		t.Errorf("in plain text: %s %s", resp.Status, body)
	}
	cfg.StatusCert, cfg.StatusCA = "", ""
	if f, err = fleet.New(cfg); err != nil {
		t.Fatal(err)
	}
	answers, err = f.Order(t.Context(), report.Order{Verb: report.Enable, Real: "10.1.0.1"})
	if err != nil || answers[0].Err == nil || !strings.Contains(answers[0].Err.Error(), "it speaks TLS") {
		t.Errorf("an order in plain text: %+v, %v", answers, err)
	}
}

// TestCertificateIsRenewed uses a new certificate without a reload, and keeps the last one while
// the file is broken.
func TestCertificateIsRenewed(t *testing.T) {
	file := t.TempDir() + "/c.pem"
	writeCertificate(t, file, 1)
	c := newCertificate(file, file)
	serial := func(when string, want int64) {
		t.Helper()
		c.looked = time.Time{}
		pair, err := c.get(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if got := pair.Leaf.SerialNumber.Int64(); got != want {
			t.Errorf("%s: certificate %d, want %d", when, got, want)
		}
	}
	later := func(hours int) {
		t.Helper()
		at := time.Now().Add(time.Duration(hours) * time.Hour)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	serial("at first", 1)
	if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	later(1)
	serial("while the file is broken", 1)
	writeCertificate(t, file, 2)
	later(2)
	serial("renewed", 2)
}

// TestCertificateIsMissing keeps the page closed, says so, and opens it once there is one.
func TestCertificateIsMissing(t *testing.T) {
	h := newHouse(t, plainConfig)
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusListen: lab.HoldPort(t).String(), StatusCert: h.path("none.pem")}})
	faults := h.Mend()
	if len(faults) != 1 || !strings.Contains(faults[0].Error, "statuscert: open ") {
		t.Errorf("without a certificate: %v", faults)
	}
	writeCertificate(t, h.path("none.pem"), 1)
	if faults = h.Mend(); len(faults) != 0 {
		t.Errorf("with one: %v", faults)
	}
}
