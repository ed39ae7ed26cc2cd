package realserver

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
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates for one test.
type Authority struct {
	Pool *x509.CertPool // with the authority alone
	File string         // its certificate, PEM

	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A Certificate is a signed certificate, in files and as crypto/tls has it.
type Certificate struct {
	CertFile, KeyFile string // PEM
	TLS               tls.Certificate
}

// NewAuthority makes an authority. Its certificates are in files that are removed
// after the test.
func NewAuthority(t *testing.T) *Authority {
	t.Helper()
	dir := newDir(t, "authority")
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "test authority"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &Authority{Pool: x509.NewCertPool(), File: filepath.Join(dir, "ca.pem"), t: t, cert: cert, key: key}
	a.Pool.AddCert(cert)
	writePEM(t, a.File, "CERTIFICATE", der)
	return a
}

// Server signs a server's certificate for names, which are host names and
// addresses.
func (a *Authority) Server(names ...string) *Certificate {
	a.t.Helper()
	return a.sign("server", time.Now().Add(time.Hour), x509.ExtKeyUsageServerAuth, names)
}

// Expired signs a server's certificate that was good until a minute ago.
func (a *Authority) Expired(names ...string) *Certificate {
	a.t.Helper()
	return a.sign("expired", time.Now().Add(-time.Minute), x509.ExtKeyUsageServerAuth, names)
}

// Client signs a client's certificate.
func (a *Authority) Client(name string) *Certificate {
	a.t.Helper()
	return a.sign("client", time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth, []string{name})
}

func (a *Authority) sign(kind string, end time.Time, usage x509.ExtKeyUsage, names []string) *Certificate {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[0]},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{usage},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	key := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.keep(kind+"-"+serial.Text(36), der, key)
}

// keep writes a certificate and its key to files.
func (a *Authority) keep(name string, der []byte, key *ecdsa.PrivateKey) *Certificate {
	a.t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(a.File), name)
	c := &Certificate{CertFile: path + ".pem", KeyFile: path + ".key"}
	writePEM(a.t, c.CertFile, "CERTIFICATE", der)
	writePEM(a.t, c.KeyFile, "PRIVATE KEY", private)
	if c.TLS, err = tls.LoadX509KeyPair(c.CertFile, c.KeyFile); err != nil {
		a.t.Fatal(err)
	}
	return c
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// writePEM writes a file that every user can read: servers read their keys as
// users of their own, and these are good for one test only.
func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, block, 0o644); err != nil {
		t.Fatal(err)
	}
}
