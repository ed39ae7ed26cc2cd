package checker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// A TLS check is up when a TLS handshake succeeds, whatever is spoken above it.
type TLS struct {
	Addr   netip.AddrPort
	Config *tls.Config
}

// String implements Checker.
func (c TLS) String() string { return "tls handshake with " + c.Addr.String() }

// Target implements Talker.
func (c TLS) Target() Target { return Target{Network: "tcp", Addr: c.Addr, TLS: c.Config} }

// Dialogue implements Talker: there is none.
func (c TLS) Dialogue() Dialogue { return nil }

// Verify is what must be right about a server's certificate.
type Verify uint8

// From the original's behaviour, which is the default, to stricter and to none.
const (
	VerifyChain Verify = iota // issued by a known authority and in date; the name does not matter
	VerifyFull                // that, and it is for the Name
	VerifyNone                // anything
)

// TLSOptions are how TLS is spoken with one real server.
type TLSOptions struct {
	Verify   Verify
	CAFile   string   // PEM, the known authorities; "" is the system's
	Name     string   // is asked for (unless it is an address), and what VerifyFull expects; a port in it does not count
	CertFile string   // PEM, our certificate with its chain; "" is none
	KeyFile  string   // PEM, its key; "" is in CertFile
	ALPN     []string // the protocols that may be spoken above, nil is unsaid

	// OnLeaf is told in every handshake when the server's certificate expires,
	// also if the handshake fails because it has. nil is nobody. It may be
	// called from several goroutines at once and must not wait.
	OnLeaf func(notAfter time.Time)
}

// TLSConfig is the configuration that o describes. It reads the files of o,
// now and never again. The error names the file.
//
// TLS 1.2 is the oldest version, as with the OpenSSL that the original runs
// on. Sessions are not resumed: every check proves a whole handshake.
func TLSConfig(o TLSOptions) (*tls.Config, error) {
	o.Name = hostOnly(o.Name)
	if o.Verify == VerifyFull && o.Name == "" {
		return nil, errors.New("a certificate's name cannot be verified: no name is known")
	}
	roots, err := readAuthorities(o.CAFile)
	if err != nil {
		return nil, err
	}
	certificates, err := readCertificate(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		ServerName:             o.Name,
		MinVersion:             tls.VersionTLS12,
		CipherSuites:           cipherSuites(),
		CurvePreferences:       []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		NextProtos:             o.ALPN,
		Certificates:           certificates,
		SessionTicketsDisabled: true,
		// crypto/tls verifies all or nothing; verifyConnection does it instead.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			return o.verifyConnection(state, roots)
		},
	}, nil
}

// hostOnly is name as certificates have it, without what a virtual host may
// have besides.
func hostOnly(name string) string {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return strings.TrimSuffix(strings.Trim(name, "[]"), ".")
}

// verifyConnection looks at the certificate of a server.
func (o TLSOptions) verifyConnection(state tls.ConnectionState, roots *x509.CertPool) error {
	leaf := state.PeerCertificates[0]
	if o.OnLeaf != nil {
		o.OnLeaf(leaf.NotAfter)
	}
	if o.Verify == VerifyNone {
		return nil
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, between := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(between)
	}
	if o.Verify == VerifyFull {
		// After a redirect the name that was asked for is another one.
		options.DNSName = o.Name
		if state.ServerName != "" {
			options.DNSName = state.ServerName
		}
	}
	_, err := leaf.Verify(options)
	return err
}

// readAuthorities is the pool of the certificates in file, nil is the system's.
func readAuthorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return pool, nil
}

// readCertificate is our own certificate.
func readCertificate(certFile, keyFile string) ([]tls.Certificate, error) {
	if certFile == "" {
		return nil, nil
	}
	if keyFile == "" {
		keyFile = certFile
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("client certificate %s: %w", certFile, err)
	}
	return []tls.Certificate{certificate}, nil
}

// cipherSuites are those of crypto/tls and the old ones with AES that Debian's
// OpenSSL speaks as well: whether a server should still is not what is asked.
func cipherSuites() []uint16 {
	var ids []uint16
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !suite.Insecure || strings.Contains(suite.Name, "_WITH_AES_") {
			ids = append(ids, suite.ID)
		}
	}
	return ids
}
