package fleet

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// TestCheckOwn finds before the first order that the other directors refuse a certificate.
func TestCheckOwn(t *testing.T) {
	made := func(name string) string {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
			DNSNames: []string{"d1.example.com"}, IPAddresses: []net.IP{net.ParseIP("2001:db8::1")},
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
		if err != nil {
			t.Fatal(err)
		}
		return file(t, name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	own, other := made("own.pem"), made("other.pem")
	both := []string{"d2.example.com:9180", "d1.example.com:9180"}
	for name, tt := range map[string]struct {
		ca, cert  string
		directors []string
		want      string
	}{
		"accepted":          {own, own, both, "<nil>"},
		"an address":        {own, own, []string{"[2001:db8::1]:9180"}, "<nil>"},
		"no directors":      {other, own, nil, "<nil>"},
		"no certificate":    {other, "", both, "<nil>"},
		"another authority": {other, own, both, "the certificate of statuscert is of no authority of statusca, and the other directors refuse it"},
		"another name":      {own, own, both[:1], "the certificate of statuscert has no name or address of directors, and the other directors refuse it"},
	} {
		if got := fmt.Sprint(CheckOwn(conf.StatusServer{StatusCA: tt.ca, StatusCert: tt.cert, Directors: tt.directors})); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
