package checkspec

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
)

// blocks is one virtual service for each of some lines, of two real servers.
func blocks(lines ...string) string {
	var text strings.Builder
	for i, line := range lines {
		text.WriteString("virtual=10.0.0." + string(rune('1'+i)) + ":443\n    service=https\n    real=10.1.0.1:443 masq\n    real=10.1.0.2:443 masq\n" + line)
	}
	return text.String()
}

// kitsOf makes the kits of all real servers of a text.
func kitsOf(t *testing.T, text string) (all []*Kit) {
	t.Helper()
	for _, v := range configured(t, text).Virtuals {
		for _, r := range v.Reals {
			key, _ := keyOf(v, r)
			all = append(all, New(key.Spec))
		}
	}
	return all
}

// TestTLSIsShared reads a file of authorities once for all real servers, each of
// which has its own certificate.
func TestTLSIsShared(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	k := kitsOf(t, blocks("    sslcafile="+file+"\n"))[0]
	var ends [2]time.Time
	config := func(i int, at string) *tls.Config {
		c, err := k.tlsConfig(netip.MustParseAddrPort(at), func(at time.Time) { ends[i] = at })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := config(0, "10.1.0.1:443")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	second := config(1, "10.1.0.2:443")
	if first.ServerName != "10.1.0.1" || second.ServerName != "10.1.0.2" {
		t.Errorf("they are called %s and %s", first.ServerName, second.ServerName)
	}
	at := s.Listener.Addr().(interface{ AddrPort() netip.AddrPort }).AddrPort()
	res := engine.New(engine.Options{}).Ask(t.Context(), checker.TLS{Addr: at, Config: second}, 5*time.Second, 1)
	if res.Err != nil {
		t.Errorf("with the authority that was read for the first: %v", res.Err)
	}
	if !ends[0].IsZero() || !ends[1].Equal(s.Certificate().NotAfter) {
		t.Errorf("certificates end %v, want only the second one told, %v", ends, s.Certificate().NotAfter)
	}
}

// TestTLSOfAnAddress verifies, with sslverify = yes and no name, each real
// server's certificate for its own address.
func TestTLSOfAnAddress(t *testing.T) {
	k := kitsOf(t, blocks("    sslverify=yes\n"))[0]
	for _, at := range []string{"127.0.0.1:443", "10.1.0.2:443"} {
		c, err := k.tlsConfig(netip.MustParseAddrPort(at), nil)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewTLSServer(nil) // its certificate is for 127.0.0.1
		err = c.VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{s.Certificate()}})
		s.Close()
		if err == nil {
			t.Errorf("%s: a certificate of nobody known is good", at)
			continue
		}
		if wrong := strings.Contains(err.Error(), "not "+at[:len(at)-4]); wrong != (at != "127.0.0.1:443") {
			t.Errorf("%s: %v", at, err)
		}
	}
}
