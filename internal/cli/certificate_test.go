package cli

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCertificateFindings has check and the doctor report the certificate of statuslisten and the
// authorities of the fleet: files that do not fit, what has ended, and what will end soon.
func TestCertificateFindings(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		left time.Duration // of a certificate of 90 days
		key  bool
		want []string // the beginnings of what is said of both files
	}{
		"good":      {30 * day, true, nil},
		"ends soon": {9*day + time.Hour, true, []string{"the certificate of statuscert ends in 9 days, on ", "the certificate of statusca ends in 9 days, on "}},
		"has ended": {-time.Hour, true, []string{"the certificate of statuscert has ended on ", "the certificate of statusca has ended on "}},
		"no key":    {30 * day, false, []string{"statuslisten cannot speak TLS: statuscert: "}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, cert := filepath.Join(dir, "t.cf"), filepath.Join(dir, "c.pem")
			write(t, cert, certificateText(t, tt.left-90*day, tt.left, tt.key))
			write(t, path, "statuslisten=127.0.0.1:9180\nstatuscert="+cert+"\nstatusca="+cert+"\n")
			for _, command := range []string{"check", "doctor"} {
				var out bytes.Buffer
				Main(Env{Args: []string{"ldirectord", path, command}, RunDir: dir, StateDir: dir, Stdout: &out, Stderr: &out})
				for _, want := range tt.want {
					if !strings.Contains(out.String(), want) {
						t.Errorf("%s has no %q:\n%s", command, want, out.String())
					}
				}
				if got := strings.Contains(out.String(), "the certificate of") || strings.Contains(out.String(), "TLS"); got != (tt.want != nil) {
					t.Errorf("%s complains of the files: %v, want %v:\n%s", command, got, tt.want != nil, out.String())
				}
			}
		})
	}
}

// certificateText is a certificate that is valid between two times from now, with its key if wanted.
func certificateText(t *testing.T, from, to time.Duration, withKey bool) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if withKey {
		key, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	}
	return string(text)
}
